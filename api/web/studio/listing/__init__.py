"""The studio's lists of programs. The whole state of a list is in its address.

- `address` reads and makes addresses; `narrowing` has what a page offers to narrow its list by.
- `programs` answers with the list of programs in every state, and with the trash; `keeping` saves filters.
- `steps` has what is done with many programs, `doing` asks and does it, `undoing` knows how it is taken back.
- `inbox` shows what waits for a decision, `calendar` what happens by itself.
"""
