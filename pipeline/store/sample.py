"""A few windows of the store, to be looked at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.store import index
from pipeline.store.shards import Shard


@dataclass(frozen=True)
class Window:
    """label: the class, empty without one. frames: (T, H, W, 3) uint8; spectrogram: (N, 257), 200 a second; None where
    the shard has no such stream, or the window nothing of it."""

    id: str
    label: str
    frames: np.ndarray | None
    spectrogram: np.ndarray | None


def chosen(rows: pd.DataFrame, label: str | None, most: int) -> pd.DataFrame:
    """At most `most` usable rows of training files, a file once: of each class as many, from the whole without."""
    usable = rows.iloc[index.usable(rows)]
    train = usable[usable["split"] == "train"]
    files = (train if len(train) else usable).drop_duplicates("parent")
    if label is None:
        # From the whole of it: neighbours are often alike.
        return files.iloc[np.unique(np.linspace(0, max(len(files) - 1, 0), min(most, len(files))).astype(int))]
    column = files[f"label_{label}"]
    turn = files.groupby(column, sort=True).cumcount()
    per_class = max(1, most // max(1, column.nunique()))
    kept = files.assign(turn=turn)[turn < per_class]
    return kept.sort_values([f"label_{label}", "turn"]).head(most).drop(columns="turn")


def windows(folder: Path, rows: pd.DataFrame, label: str | None) -> list[Window]:
    """folder: where the shards of the rows lie."""
    shards = {name: Shard(folder / f"{name}.arrow") for name in rows["shard"].unique()}
    made = []
    for row in rows.to_dict("records"):
        shard = shards[row["shard"]]
        opened = {name: shard.window(name, int(row["offset"])) for name in shard.streams}
        streams = {name: steps for name, steps in opened.items() if len(steps)}
        text = str(row[f"label_{label}"]) if label else ""
        made.append(Window(str(row["id"]), text, streams.get("frames"), streams.get("spectrogram")))
    return made
