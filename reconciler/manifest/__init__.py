"""Stage 1: the text of the project file and of manifests to desired state, or to diagnostics.

Pure: bytes come in, values and diagnostics go out; no disk, no network, no environment. Identity
values and secrets never stand in a diagnostic.
"""
