"""What the service is and does, as data and one pure function. Pure."""
