"""Stage 5: plans, diagnostics and reports as text, markdown, HTML and JSON. Pure."""
