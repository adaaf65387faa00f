"""What is left after any operation on the disk failed, or was the last one."""
