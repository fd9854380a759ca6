"""The studio's lists of programs: those in every state, and the trash. The whole state of a list is in its address.

`address` reads and makes addresses · `narrowing` has what a page offers to narrow its list by · `programs` answers.
"""
