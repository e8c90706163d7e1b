"""Where the record, the journal and the lease live. A backend passes tests/contract."""
