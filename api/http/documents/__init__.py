"""The API's documents: its pages, descriptions of what routes read by hand, and how a route says that it will go."""
