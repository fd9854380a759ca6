"""The servers that the local stack starts: how each is installed, initialised and started."""
