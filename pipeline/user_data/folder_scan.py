"""What is in a folder that is being added: its medium, files, classes and splits, with a look into every file."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath

from pipeline.datasets.folder.arrangement import File, arrange, classes_of
from pipeline.datasets.folder.formats import ENDINGS, Medium, medium_of
from pipeline.datasets.folder.walk import Entry, walk
from pipeline.errors import UserError
from pipeline.filenames import to_text
from pipeline.paths import SPLITS
from pipeline.progress import progress
from pipeline.user_data.copies import Copy, copies
from pipeline.user_data.inspect_file import Facts, Limits
from pipeline.user_data.inspect_worker import inspect_files

HELD_OUT = {"test": 0.1, "validation": 0.1}
"""Of train, where there is no folder for the split; written into the card, where a person can change it."""
WITH_SOUND = 0.9
"""Of the videos, from which on a folder counts as audio-visual."""


@dataclass(frozen=True)
class FolderScan:
    """held_out: shares of train that go into splits without a folder. facts: of each file that can be reached, in
    order, None for the others. others: files of other media, by ending; unknown: files of none. links: files that are
    links to one that is there. Every file is either usable or one of the problems."""

    root: Path
    medium: Medium
    held_out: dict[str, float]
    files: list[File]
    facts: list[Facts | None]
    others: Counter[str]
    unknown: list[PurePath]
    links: int

    @property
    def classes(self) -> list[str]:
        """Empty where there is nothing to tell apart."""
        classes = classes_of(self.files)
        return classes if len(classes) > 1 else []

    @property
    def only_class(self) -> str | None:
        classes = classes_of(self.files)
        return classes[0] if len(classes) == 1 else None

    @property
    def strange(self) -> list[str]:
        """Classes that other splits have and train has not."""
        others = {file.label for file in self.files if file.label is not None and file.reason is None}
        return sorted(others - set(classes_of(self.files)))

    @cached_property
    def _reasons(self) -> list[str | None]:
        """Of each file, why it cannot be used."""
        classes = set(self.classes)
        reasons = []
        for file, facts in zip(self.files, self.facts, strict=True):
            reason = file.reason or (facts.problem if facts else None)
            if reason is None and classes and file.label not in classes:
                reason = f"train has no class {file.label!r}"
            reasons.append(reason)
        return reasons

    def usable(self) -> list[tuple[File, Facts]]:
        those = zip(self.files, self.facts, self._reasons, strict=True)
        return [(file, facts) for file, facts, reason in those if facts is not None and reason is None]

    def problems(self) -> list[tuple[File, str]]:
        """Files that cannot be used, with the reason."""
        return [(file, reason) for file, reason in zip(self.files, self._reasons, strict=True) if reason is not None]

    def shown(self, relative: PurePath) -> str:
        """A file's name and, where a link leads to it, that link's target: the file is one, or a folder on the way."""
        for part in (*[*relative.parents][-2::-1], relative):
            if (self.root / part).is_symlink():
                target = to_text((self.root / part).readlink())
                name, link = to_text(relative), to_text(part)
                return f"{name} -> {target}" if part == relative else f"{name} ({link} -> {target})"
        return to_text(relative)

    @cached_property
    def copies(self) -> list[Copy]:
        """Of the files that can be used."""
        return copies(self.root, [file for file, _ in self.usable()])

    def counts(self) -> dict[str, int]:
        """Files of each split that has any, those that cannot be used included: what `fetch` lists."""
        counted = Counter(file.split for file in self.files)
        return {split: counted[split] for split in SPLITS if counted[split]}

    @property
    def with_sound(self) -> int:
        return sum(facts.channels > 0 for _, facts in self.usable())

    @property
    def modality(self) -> str:
        """`audio-visual` for videos of which nearly all have sound."""
        audio_visual = self.medium == "video" and self.with_sound >= WITH_SOUND * len(self.usable())
        return "audio-visual" if audio_visual else self.medium


def scan_folder(root: Path, medium: Medium | None, limits: Limits) -> FolderScan:
    """medium: the one to take where there are several. limits: of a file that is used. Raises UserError for a folder of
    which nothing can be used."""
    shown = to_text(root)
    if not root.exists():
        raise UserError(f"{shown}: there is no such folder")
    if not root.is_dir():
        raise UserError(f"{shown}: is a file; expected the folder that it lies in")
    entries = walk(root)
    medium = medium or _medium(entries, shown)
    divided = {file.split for file in arrange(entries, medium, {}) if file.reason is None}
    held_out = {split: share for split, share in HELD_OUT.items() if split not in divided}
    files = arrange(entries, medium, held_out)
    if not any(file.reason is None for file in files):
        reasons = Counter(file.reason for file in files).most_common(1)
        found = f"{len(files)} that cannot be used, most of them because: {reasons[0][0]}" if files else "none"
        raise UserError(f"{shown}: expected {medium} files, found {found}")
    if not any(file.reason is None and file.split == "train" for file in files):
        raise UserError(f"{shown}: has test or validation files, but none to train on; expected a folder train beside")
    facts = _facts(root, files, medium, limits)
    paths = [entry.relative for entry in entries if not entry.is_folder]
    others = Counter(path.suffix.lower() for path in paths if medium_of(path) not in (medium, None))
    unknown = [path for path in paths if medium_of(path) is None]
    links = sum((root / file.relative).is_symlink() and (root / file.relative).is_file() for file in files)
    found_all = FolderScan(root, medium, held_out, files, facts, others, unknown, links)
    if not found_all.usable():
        _, reason = found_all.problems()[0]
        raise UserError(f"{shown}: none of {len(files)} {medium} files can be opened; the first {reason}")
    return found_all


def _medium(entries: list[Entry], shown: str) -> Medium:
    media = [medium_of(entry.relative) for entry in entries if entry.reason is None]
    counts = Counter(medium for medium in media if medium is not None)
    if not counts:
        endings = Counter(entry.relative.suffix.lower() or "none" for entry in entries if not entry.is_folder)
        found = ", ".join(f"{count} {ending}" for ending, count in endings.most_common(5)) or "no file"
        known = ", ".join(f"{medium} ({', '.join(list(types)[:4])} ...)" for medium, types in ENDINGS.items())
        raise UserError(f"{shown}: expected files of one of {known}; found {found}")
    if len(counts) > 1:
        found = " and ".join(f"{count} {medium}" for medium, count in counts.most_common())
        first = counts.most_common(1)[0][0]
        raise UserError(
            f"{shown}: expected files of one kind, found {found} files; say which to take: --medium {first}"
        )
    return next(iter(counts))


def _facts(root: Path, files: list[File], medium: Medium, limits: Limits) -> list[Facts | None]:
    reachable = [root / file.relative for file in files if file.reason is None]
    workers = max(1, min(os.cpu_count() or 1, 8, len(reachable) // 20))
    looked = progress(inspect_files(reachable, medium, workers, limits), "looking into files", len(reachable))
    facts: Mapping[Path, Facts] = dict(zip(reachable, looked, strict=True))
    return [facts.get(root / file.relative) for file in files]
