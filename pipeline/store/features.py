"""Features on disk: what a frozen encoder has made of every split of a dataset, in one file for all that read it."""

import errno
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pipeline.errors import UserError
from selfsup.probes.features import Features

ROWS, AVERAGES = "rows", "averages"
MADE_FROM = "made_from"


def write_features(features: Mapping[str, Features], made_from: Mapping[str, str], path: Path) -> None:
    """features: by split. made_from: file -> its hash, for `read` to hold against. Raises OSError where the disk does
    not take it."""
    arrays = {
        f"{split}/{name}": np.ascontiguousarray(array)
        for split, one in features.items()
        for name, array in {ROWS: one.rows, AVERAGES: one.averages, **one.blocks}.items()
    }
    try:
        save_file(arrays, path, {MADE_FROM: _text(made_from)})
    except SafetensorError as error:
        raise OSError(errno.EIO, f"cannot be written ({error})", str(path)) from error


def read_features(path: Path, splits: Iterable[str], made_from: Mapping[str, str]) -> dict[str, Features]:
    """By split. Raises UserError for a file that is missing or damaged, does not hold a split, or is made from other
    files than these."""
    try:
        with safe_open(path, framework="np") as file:
            if file.metadata()[MADE_FROM] != _text(made_from):
                raise UserError(f"{path}: made from other weights or clips than are here; delete it and run again")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return {split: _of_split(arrays, split) for split in splits}
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path}` makes it") from None
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        problem = str(error).strip().splitlines()[0]
        raise UserError(f"{path}: holds no readable features ({problem}); delete it and run again") from None


def _of_split(arrays: Mapping[str, np.ndarray], split: str) -> Features:
    rows, averages, blocks = f"{split}/{ROWS}", f"{split}/{AVERAGES}", f"{split}/block"
    deep = sorted((name for name in arrays if name.startswith(blocks)), key=lambda name: (len(name), name))
    return Features(arrays[rows], {name.removeprefix(f"{split}/"): arrays[name] for name in deep}, arrays[averages])


def _text(made_from: Mapping[str, str]) -> str:
    return json.dumps(dict(made_from), sort_keys=True)
