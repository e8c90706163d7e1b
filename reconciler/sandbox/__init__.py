"""The service, simulated: the platform model served over HTTP on 127.0.0.1. Edge."""
