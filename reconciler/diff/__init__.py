"""Stage 3: (desired, live, record) to changes and drift. Pure."""
