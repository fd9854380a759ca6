"""`python -m deploy`: the `thmanyah` command without its script."""

from deploy.cli import main

# Worker processes that are spawned import this module again.
if __name__ == "__main__":
    main()
