"""Text of strangers, and ids of users, made safe to show or to leave this machine."""
