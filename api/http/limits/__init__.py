"""What one client may take: who it is, requests a minute, seconds for a body, open connections."""
