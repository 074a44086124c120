"""What somebody who adds a folder should know of it before the first job: a line each."""

from collections import Counter
from collections.abc import Sequence

from pipeline.datasets.folder.arrangement import File
from pipeline.filenames import to_text
from pipeline.paths import SPLITS
from pipeline.tables.duplicates import Place, in_places, leaks
from pipeline.tables.markdown import some
from pipeline.user_data.copies import Copy
from pipeline.user_data.folder_scan import FolderScan

SHOWN = 12
"""Names, before the rest is counted."""
UNEVEN = 5
"""Times as many files in the largest class as in the smallest, from which on it is worth a warning."""
IN_SPLIT = {"train": "training", "validation": "validation", "test": "test"}


def warnings(found: FolderScan) -> list[str]:
    return [*_of_classes(found), *_of_sound(found), *_of_names(found), *_of_others(found)]


def _of_classes(found: FolderScan) -> list[str]:
    made = []
    if found.only_class:
        made.append(f"there is one class only, {found.only_class!r}: for pretraining alone, nothing can be told apart")
    elif not found.classes:
        made.append("there are no class folders: for pretraining alone, no protocol that needs labels will run")
    sizes = Counter(file.label for file, _ in found.usable() if file.split == "train" and file.label in found.classes)
    if sizes and sizes.most_common()[0][1] > UNEVEN * max(1, min(sizes[label] for label in found.classes)):
        (most, many), few = sizes.most_common()[0], min(found.classes, key=lambda one: sizes[one])
        made.append(f"classes are uneven: {many} training files of {most!r}, {sizes[few]} of {few!r}")
    absent = [split for split in SPLITS if split not in found.counts()]
    if found.classes and absent:
        made.append(f"too few files to fill {' and '.join(absent)}: protocols that need all three splits will not run")
    if few_of := _few(found):
        made.append(f"classes with few files: {'; '.join(few_of)}; numbers say next to nothing of them")
    if found.strange:
        names = ", ".join(repr(one) for one in found.strange)
        made.append(f"train has no class {names}, which another split has: files of it are left out")
    return made


def _few(found: FolderScan) -> list[str]:
    """Of each split that there is: the classes of which it has no usable file, and those of which it has one."""
    sizes = Counter((file.split, file.label) for file, _ in found.usable())
    made = []
    for split in found.counts():
        for count, what in ((0, f"no {IN_SPLIT[split]} file"), (1, f"1 {IN_SPLIT[split]} file")):
            if names := [repr(one) for one in found.classes if sizes[split, one] == count]:
                made.append(f"{what} of {some(names, SHOWN)}")
    return made


def _of_sound(found: FolderScan) -> list[str]:
    silent = len(found.usable()) - found.with_sound
    if found.medium != "video" or not found.with_sound or not silent:
        return []
    return [f"{'1 video has' if silent == 1 else f'{silent} videos have'} no sound; the card says what follows"]


def _of_names(found: FolderScan) -> list[str]:
    """Of links, and of files under two names."""
    made = []
    if found.links:
        made.append("1 file is a link, followed" if found.links == 1 else f"{found.links} files are links, followed")
    if not found.copies:
        return made
    pairs = [_places(copy) for copy in found.copies]
    count = "1 file is" if len(pairs) == 1 else f"{len(pairs)} files are"
    names = "; ".join(_named(found, copy) for copy in found.copies[:SHOWN])
    more = f" and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    made.append(f"{count} used twice, by a link or as a copy: {in_places(pairs)} ({names}{more})")
    if leaking := leaked(found.copies):
        which = "1 test file is a training file" if leaking == 1 else f"{leaking} test files are training files"
        made.append(f"leak: {which} too; take them out of either, or numbers will be too high")
    return made


def leaked(copies: Sequence[Copy]) -> int:
    """How many files of test have the bytes of one of train."""
    original = {copy.file: copy.original for copy in copies}
    splits: dict[File, list[str]] = {}
    for copy in copies:
        # Of a link to a copy, what it is a copy of.
        first = original.get(copy.original, copy.original)
        splits.setdefault(first, [first.split]).append(copy.file.split)
    return sum(there.count("test") for there in splits.values() if leaks(there))


def _places(copy: Copy) -> tuple[Place, Place]:
    return (copy.original.split, copy.original.label), (copy.file.split, copy.file.label)


def _named(found: FolderScan, copy: Copy) -> str:
    original = to_text(copy.original.relative)
    return f"{found.shown(copy.file.relative)} is {original if copy.by_link else f'a copy of {original}'}"


def _of_others(found: FolderScan) -> list[str]:
    made = []
    if found.others:
        kinds = ", ".join(f"{count} {ending}" for ending, count in found.others.most_common(6))
        made.append(f"files of other kinds are left alone: {kinds}")
    if found.unknown:
        names = some([to_text(path) for path in found.unknown], SHOWN)
        made.append(f"files whose names are of no type that is known here are left alone: {names}")
    return made
