"""Which clips are shown as pictures, and their files read for it: before the store made them small."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.cards import read_card
from pipeline.figures.strip import Strip
from pipeline.figures.tuples import LETTERS, MinedTuple
from pipeline.filenames import from_text
from pipeline.media.sound import read_sound
from pipeline.media.video import open_video
from pipeline.store import index
from pipeline.store.shards import Shard

SAMPLE_RATE = 48_000


def of_each_class(rows: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Of each class, in their order, the first usable training clip that shows an action which those before do not;
    where there is none, or no action is known, the first."""
    label, usable = _title(dataset), _usable(rows)
    actions: set[str] = set()
    chosen = []
    for _, of_class in usable.groupby(label, sort=True):
        if "label_action" in of_class:
            new = of_class[~of_class["label_action"].isin(actions)]
            of_class = new if len(new) else of_class
            actions.add(str(of_class["label_action"].iloc[0]))
        chosen.append(of_class.iloc[:1])
    return pd.concat(chosen)


def unlike(rows: pd.DataFrame, dataset: str, most: int) -> pd.DataFrame:
    """The first usable training clips, at most `most`, of which no two have the class or the action in common."""
    usable = _usable(rows)
    seen: set[str] = set()
    chosen: list[int] = []
    for position, labels in enumerate(zip(usable[_title(dataset)], usable["label_action"], strict=True)):
        if len(chosen) < most and seen.isdisjoint(labels):
            seen.update(labels)
            chosen.append(position)
    return usable.iloc[chosen]


def strips(shown: pd.DataFrame, dataset: str, side: int) -> list[Strip]:
    """side: of the frames, px."""
    made = []
    for row in shown.itertuples():
        path = from_text(str(row.path))
        video = open_video(path)
        frames = video.frames(np.arange(len(video.times)), side)
        sound = read_sound(path, SAMPLE_RATE) / 32768
        title, note = str(getattr(row, _title(dataset))), str(getattr(row, "label_action", ""))
        made.append(Strip(title, note.replace("_", " "), frames, sound, SAMPLE_RATE))
    return made


def of_strategy(mined: pd.DataFrame, rows: pd.DataFrame, strategy: str, most: int) -> pd.DataFrame:
    """mined: the training split's tuples. rows: of the index. Of at most `most` clips, from the whole split, the first
    tuple of a strategy, with where the clip lies in the store."""
    train = rows[rows["split"] == "train"].reset_index(drop=True)
    first = mined[mined["strategy"] == strategy].drop_duplicates("row")
    chosen = first.iloc[np.linspace(0, max(len(first) - 1, 0), min(most, len(first))).astype(int)]
    return chosen.join(train[["shard", "offset", "frame_times"]], on="row")


def mined_tuples(chosen: pd.DataFrame, store: Path) -> list[MinedTuple]:
    """chosen: of `of_strategy`. store: the folder of the shards."""
    made = []
    for row in chosen.to_dict("records"):
        shard, offset = Shard(store / f"{row['shard']}.arrow"), int(row["offset"])
        times, letters = np.asarray(row["frame_times"]), {letter: float(row[letter]) for letter in LETTERS}
        at = np.searchsorted(times, np.array(list(letters.values())) + 1e-6, side="right") - 1
        motion, frames = shard.window("motion", offset), shard.steps("frames", offset)[at]
        made.append(MinedTuple(str(row["id"]), times, motion, float(row["threshold"]), letters, frames))
    return made


def _usable(rows: pd.DataFrame) -> pd.DataFrame:
    usable = rows.iloc[index.usable(rows)]
    return usable[usable["split"] == "train"]


def _title(dataset: str) -> str:
    """The column of the card's first label."""
    return f"label_{next(iter(read_card(dataset).labels))}"
