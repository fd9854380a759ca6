"""The whole product on one machine (`thmanyah up`, `make run`): real servers from wheels, one supervisor.

`up.py` is the command. `stack.py` says what runs, `supervisor.py` runs it, `process.py` is one child of it.
"""
