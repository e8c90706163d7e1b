"""What Git says of the files: nothing here writes to a repository."""
