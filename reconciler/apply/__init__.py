"""Stage 6: a plan to calls, each one read for first and journaled. Carries out, never decides."""
