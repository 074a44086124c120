"""Files that stand in a folder under two names: by a link, a hard one too, or as a copy."""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.datasets.folder.arrangement import File
from pipeline.files import md5_of

BEGINNING = 2**16
"""Bytes that files of one size are first told apart by: few are then read as a whole."""


@dataclass(frozen=True)
class Copy:
    """file: one that has the bytes of another, `original`. by_link: whether it is the same on the disk."""

    file: File
    original: File
    by_link: bool


def copies(root: Path, files: Iterable[File]) -> list[Copy]:
    """files: in order. Of each that has the bytes of another: that one, a name on whose way there is no link or else
    the first, in the order of the files."""
    places = {file: place for place, file in enumerate(files)}
    found, originals = [], []
    for same in _alike(places, lambda file: _inode(root / file.relative)):
        own = _own(root, same) if len(same) > 1 else same[0]
        found += [Copy(one, own, by_link=True) for one in same if one != own]
        originals.append(own)
    candidates = [originals]
    keys = (
        lambda file: file.size,
        lambda file: _beginning(root / file.relative),
        lambda file: md5_of(root / file.relative),
    )
    for key in keys:
        candidates = [alike for group in candidates for alike in _alike(group, key) if len(alike) > 1]
    for same in candidates:
        first, *others = sorted(same, key=places.__getitem__)
        found += [Copy(one, first, by_link=False) for one in others]
    return sorted(found, key=lambda copy: places[copy.file])


def _own(root: Path, same: Sequence[File]) -> File:
    """Of several names of a file: the first on whose way there is no link, else the first."""
    top = root.resolve()
    return next((one for one in same if (root / one.relative).resolve() == top / one.relative), same[0])


def _alike(files: Iterable[File], key: Callable[[File], Hashable]) -> list[list[File]]:
    """In groups of one key. A file that cannot be read any more is in none."""
    groups: dict[Hashable, list[File]] = {}
    for file in files:
        try:
            groups.setdefault(key(file), []).append(file)
        except OSError:
            continue
    return list(groups.values())


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.md5(file.read(BEGINNING)).digest()
