"""The containers that stages hand on."""
