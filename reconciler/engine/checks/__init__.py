"""The checks of `reconciler doctor`, a module for each thing that is looked at. They only read."""
