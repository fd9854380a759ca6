"""What the form of a program knows of files: what is behind an address, and pictures that are uploaded."""
