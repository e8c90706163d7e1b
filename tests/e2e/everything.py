"""All modules of the package, imported: what a process needs before it is forked for a command."""

import gc
import importlib
import pkgutil

import reconciler

for _module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)
# What is here stays: no child has to touch it, which would copy its pages.
gc.freeze()
