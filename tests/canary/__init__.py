"""Canaries: private values that cannot occur by chance, and the search for them in all we write."""
