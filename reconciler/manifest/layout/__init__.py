"""`fmt`: files in canonical layout, comments kept, never another meaning. In reading order:

`parser` (bytes to a `syntax_tree`, with `comments` and `block_scalars` attached) -> `key_order`
(where each key belongs) -> `writer` (the tree as lines of an `emitter`; `scalar_style`, `quoting`
and `flow_style` choose how a value is written) -> `canonical` (all of it, read back and compared)
-> `redacted_diff` over `line_diff` (what `fmt --diff` shows).
"""
