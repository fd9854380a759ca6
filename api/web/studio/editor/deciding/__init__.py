"""What is decided about a program: its steps, and whether listeners find it."""
