"""A second, hand-written stub of the service: shares no code with the package, on purpose."""
