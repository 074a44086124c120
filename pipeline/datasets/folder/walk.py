"""Every file below a folder, links followed, with the reason for each that cannot be reached."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

_LINKS = {errno.ENOENT: "link to nothing", errno.ELOOP: "link in a circle"}


@dataclass(frozen=True)
class Entry:
    """relative: to the folder. reason: why it is no file that can be read, else None."""

    relative: PurePath
    size: int
    mtime_ns: int
    is_folder: bool
    reason: str | None


def walk(root: Path) -> list[Entry]:
    """In the order of their names' bytes. Hidden files (`.DS_Store`, `._clip.mp4`) and folders are left out."""
    top = root.stat()
    found = list(_below(root, PurePath(), frozenset({(top.st_dev, top.st_ino)})))
    return sorted(found, key=lambda entry: os.fsencode(entry.relative))


def _below(root: Path, folder: PurePath, above: frozenset[tuple[int, int]]) -> Iterator[Entry]:
    """above: the folders that this one lies in and itself, by device and number."""
    try:
        with os.scandir(root / folder) as entries:
            names = [entry.name for entry in entries]
    except OSError as error:
        yield _unreachable(folder, f"cannot be read: {error.strerror}", is_folder=True)
        return
    for name in names:
        if name.startswith(".") or name == "__MACOSX":
            continue
        relative = folder / name
        try:
            status = (root / relative).stat()
        except OSError as error:
            is_link = (root / relative).is_symlink()
            reason = _LINKS.get(error.errno or 0) if is_link else None
            yield _unreachable(relative, reason or f"cannot be read: {error.strerror}")
            continue
        inode = (status.st_dev, status.st_ino)
        if stat.S_ISDIR(status.st_mode):
            if inode in above:
                yield _unreachable(relative, "link to a folder that it lies in", is_folder=True)
            else:
                yield from _below(root, relative, above | {inode})
        elif stat.S_ISREG(status.st_mode):
            readable = os.access(root / relative, os.R_OK)
            reason = "is empty" if not status.st_size else None if readable else "cannot be read: Permission denied"
            yield Entry(relative, status.st_size, status.st_mtime_ns, False, reason)
        else:
            yield _unreachable(relative, "neither a file nor a folder")


def _unreachable(relative: PurePath, reason: str, is_folder: bool = False) -> Entry:
    return Entry(relative, 0, 0, is_folder, reason)


def digest(entries: list[Entry]) -> str:
    """Of names, sizes and times: changes when a file is added, removed, renamed or written, and reads none."""
    sums = hashlib.md5()
    for entry in entries:
        sums.update(os.fsencode(entry.relative) + f"\0{entry.size} {entry.mtime_ns} {entry.reason}\0".encode())
    return sums.hexdigest()
