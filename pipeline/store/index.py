"""Rows of the store: one a window of a source file, with the reason where it cannot be used.

`origin` is the md5 of the file that it was cut from: for a window its own, for a still that of its parent's clip; only
a still has a `frame` and a `box` (left, top, right, bottom, px of that file's frame).
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UserError

COLUMNS = {
    "id": pa.string(),
    "parent": pa.string(),
    "start": pa.float64(),
    "end": pa.float64(),
    "split": pa.string(),
    "path": pa.string(),
    "md5": pa.string(),
    "origin": pa.string(),
    "frame": pa.int32(),
    "box": pa.list_(pa.int32()),
    "frame_times": pa.list_(pa.float64()),
    "width": pa.int32(),
    "height": pa.int32(),
    "shard": pa.string(),
    "shard_md5": pa.string(),
    "offset": pa.int64(),
    "reason": pa.string(),
}


def schema(labels: list[str]) -> pa.Schema:
    """The rows' columns; a label's is `label_<name>`."""
    return pa.schema([*COLUMNS.items(), *((f"label_{label}", pa.string()) for label in labels)])


def write_index(path: Path, rows: list[dict[str, Any]], labels: list[str]) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema(labels)), path)


def read_index(path: Path) -> pd.DataFrame:
    """Raises UserError for a file that is missing or is no Parquet."""
    try:
        return pq.read_table(path).to_pandas()
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path}` makes it") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: not a readable Parquet file ({error}); delete it and run again") from None


def counted(reasons: Iterable[str]) -> dict[str, int]:
    """How many files were left out for each reason, those of most files first. Numbers in a reason do not part it."""
    counts = Counter(re.sub(r"\d[\d.]*", "N", reason) for reason in reasons)
    return dict(counts.most_common())


def told(name: str, files: int, left_out: list[tuple[str, str]]) -> list[str]:
    """left_out: id and reason. Lines that end a run: how many files were left out, and the first of each reason."""
    if not left_out:
        return [f"{name}: its 1 file is used" if files == 1 else f"{name}: all {files} files are used"]
    noun, verb = "file" if files == 1 else "files", "is" if len(left_out) == 1 else "are"
    lines = [f"{name}: {len(left_out)} of {files} {noun} {verb} left out"]
    for pattern, count in counted(reason for _, reason in left_out).items():
        clip, reason = next(one for one in left_out if list(counted([one[1]])) == [pattern])
        more = f", and {count - 1} more for the like" if count > 1 else ""
        lines.append(f"  {clip!r} {reason}{more}")
    return lines


def usable(rows: pd.DataFrame) -> np.ndarray:
    """Positions of the rows that may be drawn."""
    return np.flatnonzero(rows["reason"].isna().to_numpy())
