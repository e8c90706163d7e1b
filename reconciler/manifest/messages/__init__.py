"""Schema errors in words. In reading order:

field_text         how fields, types and examples are called
constraint_text    what a schema asks of a value
schema_errors      what a schema refuses, as diagnostics at the right place
error_examples     for each diagnostic the least text that provokes it
"""
