"""Changes to operations in order, the proof that they work, and the plan document. Pure."""
