"""The use-cases: plan, apply, drift, import, format, doctor, init … as functions of values."""
