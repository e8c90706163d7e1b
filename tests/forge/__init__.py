"""Two forges that play pipelines for real: Git, runners, secrets, approvals, and the API."""
