"""What is known of the clips of a rendered dataset, as streams that a method may draw beside those of the store."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import UserError

BOX = ["left", "top", "right", "bottom"]
LEAST = 0.2  # of an object that must be seen for its box to be one


def main_boxes(objects: Path, rows: pd.DataFrame) -> dict[int, np.ndarray]:
    """objects: the annotation table. rows: of the index, of clips that are one window.

    By position in rows: the box of the main object in each frame, (T, 4) float32, left, top, right, bottom as shares of
    the picture's side as the store keeps it, the middle square; the whole picture where it is not seen.
    Raises UserError for a table that is missing or no Parquet."""
    try:
        table = pq.read_table(objects, columns=["id", "frame", "role", "visible", "width", "height", *BOX])
    except FileNotFoundError:
        raise UserError(f"{objects}: missing; `snakemake {objects.parent}` makes it") from None
    except OSError as error:
        raise UserError(f"{objects}: not a readable Parquet file ({error}); delete it and run again") from None
    seen = table.filter((pc.field("role") == "main") & (pc.field("visible") >= LEAST)).to_pandas()
    short = np.minimum(seen["width"], seen["height"])
    for low, high, size in (("left", "right", seen["width"]), ("top", "bottom", seen["height"])):
        for edge in (low, high):
            seen[edge] = ((seen[edge] - (size - short) / 2) / short).clip(0, 1)
    by_clip = {clip: (one["frame"].to_numpy(), one[BOX].to_numpy(np.float32)) for clip, one in seen.groupby("id")}
    found = {}
    for position, (clip, times) in enumerate(zip(rows["id"], rows["frame_times"], strict=True)):
        boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (len(times), 1))
        frames, known = by_clip.get(clip, (np.zeros(0, np.int64), boxes[:0]))
        there = (frames < len(times)) & (known[:, 2] > known[:, 0]) & (known[:, 3] > known[:, 1])
        boxes[frames[there]] = known[there]
        found[position] = boxes
    return found
