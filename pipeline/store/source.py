"""A split of the store as `selfsup` sees it: row tables and batches of tensors."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.store import annotations, index
from pipeline.store.index import read_index
from pipeline.store.shards import Shard, Steps
from selfsup.source import TUPLE_STRATEGIES, Batch, Draw, Span, Table, TooLittleData


class StoreSource:
    """One split, open for drawing from one row table; see `selfsup.source.Source`.

    folder: where the shards lie. labels: the labels that may be seen, with their classes. objects: the annotation table
    of which the streams of `pipeline.store.annotations` are made when they are first drawn; may be None.
    Raises TooLittleData when nothing in the split can be used, UserError when a label that is asked for is missing.
    """

    def __init__(
        self,
        folder: Path,
        rows: pd.DataFrame,
        table: str,
        labels: Mapping[str, list[str]],
        objects: Path | None = None,
    ) -> None:
        self.folder = folder
        self.rows = rows
        self.classes: Mapping[str, list[str]] = dict(labels)
        usable = index.usable(rows)
        if not len(usable):
            split = f"{rows['split'].iloc[0]} split" if len(rows) else "split"
            raise TooLittleData(f"{folder}: no clip of its {split} can be used; {self._reasons()}")
        self.table: Table = TABLES[table](folder, rows, usable)
        self._shard_names, self._offsets = rows["shard"].to_numpy(), rows["offset"].to_numpy()
        self._times = rows["frame_times"].to_numpy()
        self._parents = torch.from_numpy(pd.factorize(rows["parent"])[0].astype(np.int64))
        self._starts = rows["start"].to_numpy(float)
        self._labels = {name: self._numbers(name, classes, usable) for name, classes in labels.items()}
        self._shards: dict[str, Shard] = {}
        self._windows: dict[tuple[int, str], Steps] = {}
        self._objects = objects
        self._annotated: dict[str, dict[int, np.ndarray]] = {}

    def _reasons(self) -> str:
        counts = self.rows["reason"].value_counts()
        return "; ".join(f"{count} {reason}" for reason, count in counts.items()) or "it is empty"

    def _numbers(self, name: str, classes: list[str], usable: np.ndarray) -> Tensor:
        if f"label_{name}" not in self.rows:
            raise UserError(f"{self.folder}: has no label {name!r}; the card names those that it carries")
        known = {label: number for number, label in enumerate(classes)}
        numbers = np.array([known.get(label, -1) for label in self.rows[f"label_{name}"]], dtype=np.int64)
        if (numbers[usable] < 0).any():
            row = usable[int(np.argmax(numbers[usable] < 0))]
            found = self.rows[f"label_{name}"].iloc[row]
            raise UserError(f"{self.rows['id'].iloc[row]}: label {name} is {found!r}, which the card does not list")
        return torch.from_numpy(numbers)

    def take(self, draw: Draw) -> Batch:
        """See `selfsup.source.Source.take`."""
        return Batch(
            indices=draw.indices,
            rows=draw.rows,
            parents=self._parents[draw.rows],
            streams={name: self._take(name, draw.rows.numpy(), times) for name, times in draw.times.items()},
            labels={name: numbers[draw.rows] for name, numbers in self._labels.items()},
            targets=draw.targets,
        )

    def _take(self, name: str, rows: np.ndarray, times: Tensor | Span) -> Tensor:
        """(B, T, ...): the element that is shown (or sounds) at each time."""
        taken = None
        for position, row in enumerate(rows):
            window = self._window(int(row), name)
            if isinstance(times, Span):
                first = self._steps(int(row), name, times.starts[position : position + 1].numpy())
                steps = first + np.arange(times.steps)
            else:
                steps = self._steps(int(row), name, times[position].numpy())
            # Beyond either end the outermost element stands: times are the caller's, rounding is not its fault.
            steps = steps.clip(0, len(window) - 1)
            values = window[steps]
            if taken is None:
                taken = np.empty((len(rows), *values.shape), values.dtype)
            taken[position] = values
        tensor = torch.from_numpy(taken)
        return tensor.permute(0, 1, 4, 2, 3) if name == "frames" else tensor

    def _steps(self, row: int, name: str, times: np.ndarray) -> np.ndarray:
        """Each lasts from its own time until the next one's; a millionth of a second absorbs rounding."""
        rate = None if name in annotations.STREAMS else self._shard(row).streams[name].rate
        if rate is None:
            return np.searchsorted(self._times[row], times + 1e-6, side="right") - 1
        return np.floor((times + 1e-6 - self._starts[row]) * rate).astype(np.int64)

    def _window(self, row: int, name: str) -> Steps | np.ndarray:
        if name in annotations.STREAMS:
            made_of, otherwise = annotations.STREAMS[name]
            if name not in self._annotated:
                self._annotated[name] = made_of(self._objects, self.rows) if self._objects else {}
            return self._annotated[name].get(row, otherwise)  # as many as frames, or one for all of them
        if (row, name) not in self._windows:
            self._windows[row, name] = self._shard(row).steps(name, int(self._offsets[row]))
        return self._windows[row, name]

    def _shard(self, row: int) -> Shard:
        name = self._shard_names[row]
        if name not in self._shards:
            self._shards[name] = Shard(self.folder / f"{name}.arrow")
        return self._shards[name]


def frames(folder: Path, rows: pd.DataFrame, usable: np.ndarray) -> Table:
    """Every decoded frame: row, time."""
    times = rows["frame_times"].iloc[usable]
    counts = times.map(len).to_numpy()
    return {
        "row": torch.from_numpy(np.repeat(usable, counts)),
        "time": torch.from_numpy(np.concatenate(times.to_list())),
    }


def clips(folder: Path, rows: pd.DataFrame, usable: np.ndarray) -> Table:
    """Every window: row, and the times of its first and last frame; of sound without pictures, when it begins and
    ends."""
    some = rows.iloc[usable]
    bounds = [
        (times[0], times[-1]) if len(times) else (start, end)
        for times, start, end in zip(some["frame_times"], some["start"], some["end"], strict=True)
    ]
    return {
        "row": torch.from_numpy(usable),
        "start": torch.tensor([float(start) for start, _ in bounds], dtype=torch.float64),
        "end": torch.tensor([float(end) for _, end in bounds], dtype=torch.float64),
    }


def tuples(folder: Path, rows: pd.DataFrame, usable: np.ndarray) -> Table:
    """What `mine` found: row, the times a < b < c < d < e, and strategy (its position in `TUPLE_STRATEGIES`)."""
    path = folder / "tuples" / f"{rows['split'].iloc[usable[0]]}.parquet"
    mined = read_index(path)
    row = mined["row"].to_numpy()
    known = np.isin(row, usable)
    if not known.all() or (rows["id"].to_numpy()[row] != mined["id"].to_numpy()).any():
        raise UserError(f"{path}: of another index than the one that is here; delete it and run again")
    return {
        "row": torch.from_numpy(row.astype(np.int64)),
        **{letter: torch.tensor(mined[letter].to_numpy(), dtype=torch.float64) for letter in "abcde"},
        "strategy": torch.tensor([TUPLE_STRATEGIES.index(one) for one in mined["strategy"]], dtype=torch.int64),
    }


TABLES: dict[str, Callable[[Path, pd.DataFrame, np.ndarray], Table]] = {
    "frames": frames,
    "clips": clips,
    "tuples": tuples,
}
