"""The only door to HTTP: one client with pacing, retries, credentials and typed answers."""
