"""What keeps the product from running on this machine."""


class LocalStackError(Exception):
    """The text is one sentence for the person who typed the command; `deploy.explain` prints it."""
