"""The offline grammar: it turns a question in words into calls of tools."""
