"""What Git says of the files; nothing here writes to a repository.

history   the commit that is checked out, what changed since another one, files as they were then
"""
