"""A store in a directory of this machine or of a share: `state: {url: file:///srv/reconciler}`.

Promises: a part is the old or the new one after a power cut, never a piece; who only reads needs no
permission to write and waits for nobody; what is made here, others than its owner cannot read.

Made with the operating system alone, where the other places go through obstore: its local store
cannot write on a condition, and syncs neither the file nor the directory.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EPERM, EROFS
from pathlib import Path
from typing import Final

from .store import Overtaken, Part, Stored, denied, out_of_reach, unusable

# One for each part: the beat of a lock must not wait until a large record is on the disk.
_LOCK: Final = ".{part}.lock"
_PATIENCE: Final = 15.0  # seconds to wait for another writer, who needs some milliseconds


class DirectoryStore:
    """The parts as files of a directory, which the first write makes; threads may share it.

    `patience`: how many seconds a write waits for another one.
    """

    def __init__(self, directory: Path, patience: float = _PATIENCE) -> None:
        self.where = directory.as_uri()
        self._directory = directory
        self._patience = patience

    def read(self, part: Part) -> Stored | None:
        with self._told():
            data = _content(self._file(part))
            return None if data is None else Stored(data, _version(data))

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        with self._told():
            if expected is None:
                _make(self._directory)
            elif not self._directory.exists():
                raise Overtaken
            with self._alone(part):
                present = _content(self._file(part))
                if (None if present is None else _version(present)) != expected:
                    raise Overtaken
                self._replace(part, data)
        return _version(data)

    def close(self) -> None:
        pass

    def _file(self, part: Part) -> Path:
        return self._directory / f"{part.value}.json"

    @contextmanager
    def _alone(self, part: Part) -> Iterator[None]:
        """Keep other writers out. The kernel lets them in again when this process is killed."""
        from filelock import FileLock, Timeout

        name = _LOCK.format(part=part.value)
        file = self._directory / name
        # A file that cannot be opened is a matter of permissions, and not one of patience.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        lock = FileLock(file, timeout=self._patience, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            reason = f"another process has locked it for {self._patience:.3g} seconds ({name})"
            raise out_of_reach(self.where, reason) from None
        except NotImplementedError:
            raise unusable(self.where, "this file system has no locks") from None
        try:
            yield
        finally:
            lock.release()

    def _replace(self, part: Part, data: bytes) -> None:
        file = self._file(part)
        # One name for all, as one writes at a time: what a killed one left is cleared away.
        fresh = file.with_name(f".{file.name}.new")
        fresh.unlink(missing_ok=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with open(os.open(fresh, flags, 0o600), "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            fresh.replace(file)
        except BaseException:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise
        _sync(self._directory)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in our words what the operating system raises."""
        try:
            yield
        except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
            raise unusable(self.where, _reason(error)) from error
        except OSError as error:
            tell = denied if error.errno in (EACCES, EPERM, EROFS) else out_of_reach
            raise tell(self.where, _reason(error)) from error


def _content(file: Path) -> bytes | None:
    # Non-blocking: opening a named pipe would otherwise wait for somebody to write into it.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        number = os.open(file, flags)
    except FileNotFoundError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise FileExistsError(None, "It is not a regular file", file.name)
        with open(number, "rb", closefd=False) as opened:
            return opened.read()
    finally:
        os.close(number)


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _make(directory: Path) -> None:
    """Make a directory, and those above it, for its owner alone; on disk when it returns."""
    if directory.is_dir():
        return
    _make(directory.parent)
    # Another process may make it at the same moment; anything else than a directory is an error.
    with suppress(FileExistsError):
        directory.mkdir(0o700)
    if not directory.is_dir():
        raise NotADirectoryError(None, "It is not a directory", directory.name)
    _sync(directory.parent)


def _sync(directory: Path) -> None:
    """Let a new name in the directory survive a power cut, as its content does."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _reason(error: OSError) -> str:
    named = f" ({Path(os.fsdecode(error.filename)).name})" if error.filename else ""
    reason = f"{error.strerror or type(error).__name__}{named}"
    return "".join(letter if letter.isprintable() else "?" for letter in reason)
