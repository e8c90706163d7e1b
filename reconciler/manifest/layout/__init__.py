"""`fmt`: files in canonical layout, comments kept, never another meaning. In reading order:

syntax_tree     what stands in a file, comments and spelling included
comments        every comment of a text, with the entry that it belongs to
parser          a text to a syntax tree
key_order       where each key belongs, by the JSON Schemas
scalar_style    which texts need quotes, and the lines of texts behind `|` and `>`
emitter         lines of canonical text
writer          a syntax tree as canonical text
canonical       all of it, read back and compared
line_diff       two texts compared by lines, quick for large files
redacted_diff   what `fmt --diff` shows, over line_diff
"""
