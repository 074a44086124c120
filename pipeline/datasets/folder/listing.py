"""The list of somebody's own files: what `fetch` finds in a folder."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.datasets.folder.arrangement import File, arrange
from pipeline.datasets.folder.formats import Medium
from pipeline.datasets.folder.walk import walk
from pipeline.errors import UserError
from pipeline.filenames import from_text, to_text
from pipeline.files import md5_of

EMPTY = hashlib.md5(b"").hexdigest()


class Folder:
    """A folder as its card describes it.

    root: as `pipeline.filenames.to_text` writes it. classes: of the label that folders name, None where there is none.
    held_out: see `arrange`. Raises UserError for a folder that is not there.
    """

    def __init__(
        self,
        name: str,
        *,
        root: str,
        medium: Medium,
        classes: Sequence[str] | None,
        splits: Sequence[str],
        held_out: Mapping[str, float],
    ) -> None:
        self.name, self.classes, self.splits = name, classes, splits
        self.root = from_text(root)
        if not self.root.is_dir():
            raise UserError(f"data/cards/{name}.yaml: root: {root}: there is no such folder; is its drive connected?")
        self.files = arrange(walk(self.root), medium, held_out)

    def rows(self, workers: int) -> Iterator[dict[str, Any]]:
        """One a file: id, split, path, md5, size, label, and reason: why it cannot be used, where that is seen
        already, else empty (as a label is that a file has not)."""
        with ThreadPoolExecutor(workers) as pool:
            for file, (md5, reason) in zip(self.files, pool.map(self._hash, self.files), strict=True):
                yield self._row(file, md5, reason)

    def _hash(self, file: File) -> tuple[str, str | None]:
        if file.reason is not None:
            return EMPTY, file.reason
        try:
            return md5_of(self.root / file.relative), None
        except OSError as error:
            return EMPTY, f"cannot be read: {error.strerror}"

    def _row(self, file: File, md5: str, reason: str | None) -> dict[str, Any]:
        split = file.split if file.split in self.splits else "train"
        if reason is None and split != file.split:
            reason = f"is of the split {file.split}, which the card does not list; `add --replace` counts anew"
        if reason is None and self.classes is not None and file.label not in self.classes:
            reason = f"its folder {file.label!r} is not among the classes in the card"
        return {
            "id": f"{self.name}/{split}/{file.name}",
            "split": split,
            "path": to_text(self.root / file.relative),
            "md5": md5,
            "size": file.size,
            "label": file.label or "",
            "reason": reason or "",
        }
