"""`python -m deploy`: the `thmanyah` command without its script."""

from deploy.cli import main

main()
