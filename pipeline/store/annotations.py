"""What is known of the clips of a rendered dataset, as streams that a method may draw beside those of the store."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import UserError

BOX = ["left", "top", "right", "bottom"]
LEAST = 0.2  # of an object that must be seen for its box to be one
CELLS = 32  # across a picture, of a map of what is not background
WHOLE = np.array([[0, 0, 1, 1]], np.float32)
NOWHERE = np.zeros((1, CELLS, CELLS), np.bool_)
MATRIX = ["m00", "m01", "m02", "m10", "m11", "m12"]
UNKNOWN = np.full((1, 4), np.nan, np.float32)


def main_boxes(objects: Path, rows: pd.DataFrame) -> dict[int, np.ndarray]:
    """objects: the annotation table. rows: of the index, of clips that are one window.

    By position in rows: the box of the main object in each frame, (T, 4) float32, left, top, right, bottom as shares of
    the picture's side as the store keeps it, the middle square; the whole picture where it is not seen.
    Raises UserError for a table that is missing or no Parquet."""
    known = _boxes(objects, (pc.field("role") == "main") & (pc.field("visible") >= LEAST))
    found = {}
    for position, (clip, times) in enumerate(zip(rows["id"], rows["frame_times"], strict=True)):
        boxes = np.tile(WHOLE, (len(times), 1))
        if clip in known:
            frames, there = known[clip]
            inside = frames < len(times)
            boxes[frames[inside]] = there[inside]
        found[position] = boxes
    return found


def foregrounds(objects: Path, rows: pd.DataFrame) -> dict[int, np.ndarray]:
    """As `main_boxes`, by position in rows: (T, CELLS, CELLS) bool, row by row from the top, what boxes of the actor,
    of objects and of events (smoke, splashes) touch in each frame."""
    known = _boxes(objects, pc.field("visible") > 0)
    found = {}
    for position, (clip, times) in enumerate(zip(rows["id"], rows["frame_times"], strict=True)):
        maps = np.zeros((len(times), CELLS, CELLS), np.bool_)
        frames, boxes = known.get(clip, (np.zeros(0, np.int64), np.zeros((0, 4), np.float32)))
        low, high = np.floor(boxes[:, :2] * CELLS).astype(int), np.ceil(boxes[:, 2:] * CELLS).astype(int)
        for frame, (left, top), (right, bottom) in zip(frames, low, high, strict=True):
            if frame < len(times):
                maps[frame, top:bottom, left:right] = True
        found[position] = maps
    return found


def cameras(objects: Path, rows: pd.DataFrame) -> dict[int, np.ndarray]:
    """As `main_boxes`, by position in rows; from the table `camera` beside that of the objects.

    (T, 4) float32, from the world to each frame, about the world's middle and the picture's: right and down in shares
    of the picture's side as the store keeps it, turn in radians, clockwise, and the natural logarithm of the zoom; nan
    for frames of which nothing is stated."""
    path = objects.with_name("camera.parquet")
    known = _table(path, ["id", "frame", *MATRIX]).to_pandas().sort_values(["id", "frame"])
    sizes = _table(objects, ["id", "width", "height"]).to_pandas().drop_duplicates("id")
    known = known.merge(sizes, on="id")
    m00, m01, m02, m10, m11, m12 = (known[name].to_numpy(float) for name in MATRIX)
    width, height = known["width"].to_numpy(float), known["height"].to_numpy(float)
    short = np.minimum(width, height)
    right, down = (m02 - (width - 1) / 2) / short, (m12 - (height - 1) / 2) / short
    turn, zoom = np.arctan2(m10, m00), np.log(m00 * m11 - m01 * m10) / 2
    values = np.stack([right, down, turn, zoom], axis=1).astype(np.float32)
    clips, firsts = np.unique(known["id"].to_numpy(str), return_index=True)
    frames, motions = (np.split(column, firsts[1:]) for column in (known["frame"].to_numpy(), values))
    by_clip = dict(zip(clips.tolist(), zip(frames, motions, strict=True), strict=True))
    found = {}
    for position, (clip, times) in enumerate(zip(rows["id"], rows["frame_times"], strict=True)):
        found[position] = np.tile(UNKNOWN, (len(times), 1))
        if clip in by_clip:
            at, there = by_clip[clip]
            found[position][at[at < len(times)]] = there[at < len(times)]
    return found


def _table(path: Path, columns: list[str]) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path.parent}` makes it") from None
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a readable Parquet file ({error}); delete it and run again") from None


def _boxes(objects: Path, which: pc.Expression) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By clip: frames (N,) and boxes (N, 4) that are not empty, as shares of the middle square's side."""
    table = _table(objects, ["id", "frame", "role", "visible", "width", "height", *BOX])
    seen = table.filter(which).to_pandas()
    short = np.minimum(seen["width"], seen["height"])
    for low, high, size in (("left", "right", seen["width"]), ("top", "bottom", seen["height"])):
        for edge in (low, high):
            seen[edge] = ((seen[edge] - (size - short) / 2) / short).clip(0, 1)
    seen = seen[(seen["right"] > seen["left"]) & (seen["bottom"] > seen["top"])]
    if seen.empty:
        return {}
    seen = seen.sort_values("id", kind="stable")
    clips, firsts = np.unique(seen["id"].to_numpy(str), return_index=True)
    frames, boxes = (np.split(seen[name].to_numpy(), firsts[1:]) for name in ("frame", BOX))
    return {str(clip): (at, box.astype(np.float32)) for clip, at, box in zip(clips, frames, boxes, strict=True)}


STREAMS: Mapping[str, tuple[Callable[[Path, pd.DataFrame], dict[int, np.ndarray]], np.ndarray]] = {
    "boxes": (main_boxes, WHOLE),
    "foreground": (foregrounds, NOWHERE),
    "camera": (cameras, UNKNOWN),
}
"""By stream: what makes it of an annotation table, and what stands for it where there is none, one for all frames."""
