"""`python -m deploy.searchnode`: the same as `thmanyah searchnode`."""

from deploy.searchnode.cli import searchnode

if __name__ == "__main__":
    searchnode()
