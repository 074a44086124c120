"""From the files below a folder to splits and classes.

    PATH/{train,test,validation}/<class>/file    as they stand; val and valid mean validation, and case means nothing
    PATH/<class>/file                            split by hash
    PATH/file, PATH/train/file ...               without classes: for pretraining alone, with what is in one folder
                                                 beside the files, if there is one

Folders below a class belong to it. A split that is not there is taken from train by the hash of each file's relative
name: about a tenth of each class, say, the same files wherever the folder lies. A file stays in its split when others
are added, but in a class so small that one of its splits would be empty: there a new file can move two others.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from pipeline.datasets.folder.formats import Medium, medium_of
from pipeline.datasets.folder.walk import Entry
from pipeline.filenames import to_id, to_text

SPLIT_FOLDERS = {
    "train": "train",
    "test": "test",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
}
HELD_OUT = ("test", "validation")


@dataclass(frozen=True)
class File:
    """relative: to the folder. split: train, validation or test. name: unique in its dataset, an id's last part.
    label: the class, None where there are none. reason: why it is not used, else None."""

    relative: PurePath
    split: str
    name: str
    label: str | None
    size: int
    reason: str | None


def is_divided(entries: Iterable[Entry]) -> bool:
    """Whether the first folders are splits: `train` with others of their names or alone, not one class among others
    (trains beside cars)."""
    tops = {entry.relative.parts[0].lower() for entry in entries if len(entry.relative.parts) > 1}
    return "train" in tops and (len(tops & SPLIT_FOLDERS.keys()) > 1 or tops == {"train"})


def _has_classes(entries: Iterable[Entry], divided: bool) -> bool:
    """Whether folders, below those of the splits, are classes: not one alone with files beside it."""
    below = [entry.relative.parts for entry in entries if entry.reason is None]
    if divided:
        below = [parts[1:] for parts in below if len(parts) > 1 and parts[0].lower() in SPLIT_FOLDERS]
    folders = {parts[0] for parts in below if len(parts) > 1}
    return len(folders) > 1 or (len(folders) == 1 and all(len(parts) > 1 for parts in below))


def arrange(entries: list[Entry], medium: Medium, held_out: Mapping[str, float]) -> list[File]:
    """Every file of a medium (and every folder that could not be entered), in order.

    held_out: the share of train that goes into each split that has no folder of its own (keys test, validation).
    """
    wanted = [entry for entry in entries if medium_of(entry.relative) == medium or entry.is_folder]
    divided = is_divided(wanted)
    has_classes = _has_classes(wanted, divided)
    present = sorted({entry.relative.parts[0] for entry in wanted if divided})
    # Of two folders for one split (val, validation) the files of the other keep its name in theirs.
    first = {SPLIT_FOLDERS[folder.lower()]: folder for folder in present if folder.lower() in SPLIT_FOLDERS}
    files = [_file(entry, divided, has_classes, set(first.values())) for entry in wanted]
    if len(classes_of(files)) < 2:
        return files  # For pretraining alone: nothing is held out from it.
    used = {file.split for file in files if file.reason is None}
    return _held_out(files, {split: held_out[split] for split in HELD_OUT if split in held_out and split not in used})


def _file(entry: Entry, divided: bool, has_classes: bool, plain: set[str]) -> File:
    """plain: folders of splits whose names are left out of their files', since the id names the split."""
    parts, reason, split, name = entry.relative.parts, entry.reason, "train", entry.relative
    if divided:
        folder, parts = parts[0], parts[1:]
        split = SPLIT_FOLDERS.get(folder.lower(), "train")
        name = PurePath(*parts) if parts and folder in plain else PurePath("..") / entry.relative
        if reason is None and (folder.lower() not in SPLIT_FOLDERS or not parts):
            reason = "lies in none of the folders train, validation and test"
    label = to_text(parts[0]) if has_classes and len(parts) > 1 else None
    if has_classes and label is None and reason is None:
        reason = "lies beside the folders of the classes, in none of them"
    return File(entry.relative, split, to_id(name), label, entry.size, reason)


def _held_out(files: list[File], shares: Mapping[str, float]) -> list[File]:
    """Moves shares of each class of train, each file by its own hash. A class with enough files is in every split: one
    that got none takes the first, in the order of hashes, of that with most."""
    classes: dict[str | None, list[File]] = {}
    for file in sorted(files, key=_position):
        if file.split == "train" and file.reason is None:
            classes.setdefault(file.label, []).append(file)
    moved: dict[PurePath, str] = {}
    for members in classes.values():
        splits: dict[str, list[File]] = {"train": [], **{split: [] for split in shares}}
        if len(members) < len(splits):
            continue
        for file in members:
            splits[_drawn(_position(file), shares)].append(file)
        for taken in splits.values():
            if not taken:
                taken.append(max(splits.values(), key=len).pop(0))
        moved |= {file.relative: split for split, taken in splits.items() for file in taken}
    return [replace(file, split=moved.get(file.relative, file.split)) for file in files]


def _drawn(position: float, shares: Mapping[str, float]) -> str:
    """The split whose share of 0 to 1 a position is in; train has what the others leave."""
    for split, share in shares.items():
        if position < share:
            return split
        position -= share
    return "train"


def _position(file: File) -> float:
    """0 to 1, by the relative name alone: the same wherever the folder lies."""
    return int.from_bytes(hashlib.md5(os.fsencode(file.relative)).digest()[:6]) / 2**48


def classes_of(files: Iterable[File]) -> list[str]:
    """The classes of the training files that can be used."""
    usable = (file for file in files if file.split == "train" and file.reason is None)
    return sorted({file.label for file in usable if file.label is not None})
