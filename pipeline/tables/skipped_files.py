"""What no number uses: which files, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.store import index
from pipeline.tables.markdown import code, escaped, grid, item

SHOWN = 40
"""Files that are named, before the rest is counted."""


@dataclass(frozen=True)
class SkippedFile:
    """file: its id, DATASET/SPLIT/NAME. is_there: false for one that is to be excluded but is not in the data. in_part:
    true where other windows of it are used."""

    file: str
    reason: str
    is_there: bool = True
    in_part: bool = False


def skipped_files(rows: pd.DataFrame) -> list[SkippedFile]:
    """rows: of the store's indices, with `parent` (DATASET/SPLIT/NAME) and `reason`, of any number of splits and
    datasets. A file counts once for a reason, however many windows it has."""
    unused = rows.loc[rows["reason"].notna(), ["parent", "reason"]].drop_duplicates().sort_values(["parent", "reason"])
    used = set(rows["parent"].iloc[index.usable(rows)])
    return [
        SkippedFile(str(file), str(reason), in_part=file in used) for file, reason in unused.itertuples(index=False)
    ]


def counted(files: Sequence[SkippedFile]) -> int:
    """How many files of the data, those left out in part included."""
    return len({one.file for one in files if one.is_there})


def partly(files: Sequence[SkippedFile]) -> int:
    """How many of them in part."""
    return len({one.file for one in files if one.in_part})


def _reason(one: SkippedFile) -> str:
    return f"in part: {escaped(one.reason)}" if one.in_part else escaped(one.reason)


def named(files: Sequence[SkippedFile]) -> list[str]:
    """A table of the first, and how many more there are for which reasons. files: at least one."""
    parts = [grid(["File", "Reason"], [[code(one.file), _reason(one)] for one in files[:SHOWN]])]
    if more := index.counted(one.reason for one in files[SHOWN:]):
        parts.append("\n".join(item(f"and {count} more: {escaped(reason)}") for reason, count in more.items()))
    return parts
