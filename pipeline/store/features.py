"""Features on disk: what a frozen encoder has made of every split of a dataset, in one file for all that read it."""

import errno
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pipeline.errors import UserError
from selfsup.probes.features import Features

ROWS, AVERAGES = "rows", "averages"


def write(features: Mapping[str, Features], path: Path) -> None:
    """features: by split. Raises OSError where the disk does not take it."""
    arrays = {
        f"{split}/{name}": np.ascontiguousarray(array)
        for split, one in features.items()
        for name, array in {ROWS: one.rows, AVERAGES: one.averages, **one.blocks}.items()
    }
    try:
        save_file(arrays, path)
    except SafetensorError as error:
        raise OSError(errno.EIO, f"cannot be written ({error})", str(path)) from error


def read(path: Path, split: str) -> Features:
    """Those of one split. Raises UserError for a file that is missing or damaged, or does not hold the split."""
    try:
        with safe_open(path, framework="np") as file:
            names = [name for name in file.keys() if name.startswith(f"{split}/")]  # noqa: SIM118
            arrays = {name.removeprefix(f"{split}/"): file.get_tensor(name) for name in names}
        rows, averages = arrays.pop(ROWS), arrays.pop(AVERAGES)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path}` makes it") from None
    except (SafetensorError, OSError, KeyError) as error:
        problem = str(error).strip().splitlines()[0]
        raise UserError(f"{path}: holds no readable features ({problem}); delete it and run again") from None
    return Features(rows, dict(sorted(arrays.items(), key=lambda one: (len(one[0]), one[0]))), averages)
