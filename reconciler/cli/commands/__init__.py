"""One module per command; each imports the rooms it needs inside its function, not before."""
