"""Tasks: the queue, the thread that executes it, and what each kind of task does.

`http/routes/` enqueues tasks; `cli.py` starts the thread.
"""
