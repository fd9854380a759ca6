"""Whether a program is found, and why: its state in every index, for editors and operators."""
