"""Opens the store that the project file names: one arm for each shared backend, which mypy counts.

What the backends are called and take is core.state_backends; a local file is no store (local.py).
"""

from __future__ import annotations

from importlib import import_module
from typing import assert_never

from reconciler.core.state_backends import (
    HttpBackend,
    ObjectStoreBackend,
    OptionalPackage,
    PostgresBackend,
    SharedBackend,
    backend_spec,
)

from .store import Store, StoreContext, unusable


def open_store(backend: SharedBackend, context: StoreContext) -> Store:
    """Return the store of a shared backend, without looking whether anything is there.

    Raises ValueError for settings that cannot be used, StateError where a package is missing or
    the environment does not do, and what the context raises.
    """
    store = _open(backend, context)
    needs = backend_spec(backend).needs
    if needs is not None:
        try:
            _require(needs, store.where)
        except BaseException:
            store.close()
            raise
    return store


def _open(backend: SharedBackend, context: StoreContext) -> Store:
    # Imported when needed: a client library costs more than most commands take.
    match backend:
        case ObjectStoreBackend(url):
            from .objectstore import open_object_store

            return open_object_store(context.resolve(url))
        case HttpBackend():
            from .http import open_http_store

            return open_http_store(backend, context)
        case PostgresBackend():
            from .postgres import open_postgres_store

            return open_postgres_store(backend, context)
        case _:
            assert_never(backend)


def _require(package: OptionalPackage, where: str) -> None:
    try:
        import_module(package.module)
    except ImportError:
        reason = (
            f"{package.module} is missing, install it with: "
            f"pip install 'push-reconciler[{package.extra}]'"
        )
        raise unusable(where, reason) from None
