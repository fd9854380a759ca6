"""The pages of listeners. Each module reads what one kind of page shows from the services of `api.discovery`."""
