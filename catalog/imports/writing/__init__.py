"""From rows to programs.

`rows` an item as its source gives it · `plans` what a row would be as a program · `comparing` what differs from the
program that exists · `writer` writes it and says what became of each row.
"""
