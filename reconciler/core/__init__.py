"""Values that every room shares. Pure: no disk, socket, clock, randomness or terminal."""
