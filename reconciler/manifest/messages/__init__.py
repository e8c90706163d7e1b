"""Schema errors in words. In reading order:

`schema_errors` (what a JSON Schema refuses, as diagnostics at the right place) over `field_text`
(how fields, types and examples are called) and `constraint_text` (what a constraint asks for);
`error_examples` (for each diagnostic the least text that provokes it).
"""
