"""The offline grammar: a question in words becomes calls of tools."""
