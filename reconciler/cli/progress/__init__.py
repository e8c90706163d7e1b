"""How far a long run is, on stderr.

lines   a line every few seconds, or bars on a terminal: which, and in what words
bars    bars on a terminal
meter   pace and time left, from counts
"""
