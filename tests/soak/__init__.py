"""Random worlds, manifests and faults against the real command line; see `cases` and `promises`."""
