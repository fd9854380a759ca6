"""The HTTP side of the node: the application, who may do what, and what each address answers.

`cli.py` serves the application that `app.create_app` makes.
"""
