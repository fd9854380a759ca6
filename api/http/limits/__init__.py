"""What one client may take: who it is, its requests of the current minute, and its open connections."""
