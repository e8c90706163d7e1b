"""The use-cases: what each command does; streams, prompts and exit codes left to the caller."""
