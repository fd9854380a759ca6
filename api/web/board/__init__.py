"""The board of operators at /ops/board: what is wrong, what the product does, and what operators do about it.

It reads and acts through the handlers of the routes under /ops, so there is no second way to do anything.
"""
