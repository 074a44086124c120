"""Rows of the store: one a window of a source file, with the reason where it cannot be used."""

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


def write(path: Path, rows: list[dict[str, Any]], labels: list[str]) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema(labels)), path)


def read(path: Path) -> pd.DataFrame:
    """Raises UserError for a file that is missing or is no Parquet."""
    try:
        return pq.read_table(path).to_pandas()
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path}` makes it") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: not a readable Parquet file ({error}); delete it and run again") from None


def usable(rows: pd.DataFrame) -> np.ndarray:
    """Positions of the rows that may be drawn."""
    return np.flatnonzero(rows["reason"].isna().to_numpy())
