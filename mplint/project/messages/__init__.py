"""What goes from one process to another, how it travels, and what they share."""
