"""The cheap cues of a dataset's clips: what is decoded joined with what is annotated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from pipeline.media.video import square
from pipeline.progress import progress
from pipeline.shortcuts.values import MARGIN, Clip, Values, values_of
from pipeline.store.shards import Shard

FEWEST_FRAMES = 5
COLUMNS = ["id", "frame", "role", "left", "top", "right", "bottom", "mask"]

Shown = tuple[np.ndarray, np.ndarray]
"""Of a tuple: the frames that are shown in order, and those out of order, (3,) numbers each."""


@dataclass
class Cues:
    """Of N clips. positions: (N,) into the rows that were given; folds: (N,), by hash of the clip's id. By cue:
    summaries (N, D), arrows (N, E), and orders (M, 2, F), M tuples' numbers in order and out of order, of the clips
    `owners` (M,)."""

    positions: list[int] = field(default_factory=list)
    folds: list[int] = field(default_factory=list)
    summaries: dict[str, list[np.ndarray]] = field(default_factory=dict)
    arrows: dict[str, list[np.ndarray]] = field(default_factory=dict)
    orders: dict[str, list[np.ndarray]] = field(default_factory=dict)
    owners: list[int] = field(default_factory=list)

    def add(self, position: int, fold: int, values: Mapping[str, Values], tuples: list[Shown]) -> None:
        self.owners += [len(self.positions)] * len(tuples)
        self.positions.append(position)
        self.folds.append(fold)
        for cue, value in values.items():
            self.summaries.setdefault(cue, []).append(value.summary.astype(np.float32))
            self.arrows.setdefault(cue, []).append(value.arrow.astype(np.float32))
            shown = [np.stack([value.frames[one].ravel() for one in pair]) for pair in tuples]
            self.orders.setdefault(cue, []).extend(one.astype(np.float32) for one in shown)


def collect(
    rows: pd.DataFrame, folder: Path, objects: Path, tuples: pd.DataFrame, *, points: int, folds: int, per_clip: int
) -> Cues:
    """rows: usable rows of the index, of clips that are one window. folder: where their shards lie. objects: the
    annotation table. tuples: mined ones. per_clip: of those that are used of a clip, at most."""
    cues = Cues()
    known = {row.id: row for row in rows.assign(position=np.arange(len(rows))).itertuples()}
    mined = dict(iter(tuples.groupby("id")))
    shards: dict[str, Shard] = {}
    for clip, annotated in progress(_by_clip(objects), "cues", len(known)):
        row: Any = known.get(clip)
        if row is None or len(row.frame_times) < FEWEST_FRAMES:
            continue
        shard = shards.setdefault(row.shard, Shard(folder / f"{row.shard}.arrow"))
        times = np.asarray(row.frame_times)
        shown = _shown(mined[clip][:per_clip], times, crc32(clip.encode())) if clip in mined else []
        values = values_of(_clip(row, shard, annotated, times), points)
        cues.add(row.position, crc32(row.parent.encode()) % folds, values, shown)
    return cues


def _by_clip(objects: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each clip's rows of the table, in which a clip's rows stand together."""
    clip, found = "", list[dict[str, Any]]()
    for batch in pq.ParquetFile(objects).iter_batches(batch_size=2000, columns=COLUMNS):
        columns = {name: batch.column(name).to_pylist() for name in COLUMNS if name != "mask"}
        masks = batch.column("mask")
        runs, ends = masks.values.to_numpy(), masks.offsets.to_numpy()
        for number, owner in enumerate(columns["id"]):
            if owner != clip:
                if found:
                    yield clip, found
                clip, found = owner, []
            one = {name: values[number] for name, values in columns.items()}
            found.append({**one, "mask": runs[ends[number] : ends[number + 1]]})
    if found:
        yield clip, found


def _clip(row: Any, shard: Shard, annotated: list[dict[str, Any]], times: np.ndarray) -> Clip:
    frames = shard.window("frames", row.offset)
    count, side = frames.shape[:2]
    width, height = int(row.width), int(row.height)
    short = min(width, height)
    covered = np.zeros((count, height * width), bool)
    centre = np.full((count, 2), np.nan)
    for one in annotated:
        covered[one["frame"]] |= decoded(one["mask"])
        if one["role"] == "main" and len(one["mask"]) > 1:
            x, y = (one["left"] + one["right"]) / 2, (one["top"] + one["bottom"]) / 2
            centre[one["frame"]] = (x - (width - short) / 2) / short, (y - (height - short) / 2) / short
    around = np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8)
    visible = [
        cv2.dilate(square(255 * one.reshape(height, width).astype(np.uint8), side), around) == 0 for one in covered
    ]
    return Clip(
        frames,
        shard.window("flow", row.offset),
        shard.window("spectrogram", row.offset),
        float(shard.streams["spectrogram"].rate or 0),
        times - row.start,
        np.stack(visible),
        centre,
    )


def decoded(runs: np.ndarray) -> np.ndarray:
    """Run lengths, the first of which is off -> (H * W,) bool."""
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def _shown(mined: pd.DataFrame, times: np.ndarray, first: int) -> list[Shown]:
    """(b, c, d), and (b, a, d) or (b, e, d): by turns, beginning with either as `first` is even or odd, so that the
    frame that does not belong is as often an earlier as a later one."""
    shown = []
    for number, one in enumerate(mined.itertuples(), start=first):
        at = np.searchsorted(times, np.array([one.a, one.b, one.c, one.d, one.e]) + 1e-6, side="right") - 1
        shown.append((at[[1, 2, 3]], at[[1, 0 if number % 2 == 0 else 4, 3]]))
    return shown
