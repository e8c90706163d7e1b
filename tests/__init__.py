"""The proof of the whole: tests by room, and what holds across rooms."""
