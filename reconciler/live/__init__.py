"""Stage 2: what is really there. Plans the reads and carries them out."""
