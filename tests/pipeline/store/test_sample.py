"""The windows that are shown: of each class some, once a file, with the streams that they have."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.figures.decoded import histograms, sheet
from pipeline.store.sample import Window, chosen, windows
from pipeline.store.shards import ShardWriter
from pipeline.store.streams import stream


def rows(labels: list[str], reasons: dict[int, str]) -> pd.DataFrame:
    """Two windows a file, all of one training shard."""
    made = []
    for number, label in enumerate(labels):
        for window in range(2):
            made.append({"id": f"d/train/{number}@{window}", "parent": f"d/train/{number}", "label_class": label})
    table = pd.DataFrame(made)
    table["reason"] = [reasons.get(position // 2) for position in range(len(table))]
    return table.assign(split="train", shard="train-000", offset=range(len(table)))


def test_classes_are_shown_evenly_and_a_file_once() -> None:
    table = rows(["a"] * 20 + ["b"] * 3 + ["c"] * 2, {0: "broken", 24: "broken"})
    found = chosen(table, "class", 9)
    assert found["label_class"].tolist() == ["a", "a", "a", "b", "b", "b", "c"]
    assert found["parent"].is_unique
    assert found["reason"].isna().all()


def test_without_classes_the_whole_is_shown() -> None:
    found = chosen(rows(["a"] * 100, {}), None, 5)
    assert found["parent"].tolist() == [f"d/train/{number}" for number in (0, 24, 49, 74, 99)]


def test_a_stream_of_which_a_window_has_nothing_is_none(tmp_path: Path) -> None:
    streams = {name: stream(name, 16, 8000) for name in ("frames", "spectrogram")}
    frames = np.full((3, 16, 16, 3), 7, np.uint8)
    with ShardWriter(tmp_path / "train-000.arrow", streams) as writer:
        writer.append({"frames": frames, "spectrogram": streams["spectrogram"].empty()})
    one = windows(tmp_path, rows(["a"], {}).head(1), "class")[0]
    assert one.spectrogram is None
    assert one.label == "a"
    assert one.frames is not None
    np.testing.assert_array_equal(one.frames, frames)


def test_a_sheet_is_drawn_of_whatever_there_is(tmp_path: Path) -> None:
    picture, sound = np.zeros((1, 16, 16, 3), np.uint8), np.zeros((40, 257), np.float32)
    cases = [[], [("a", picture, None)] * 30, [("$a$ 猫", None, sound)] * 5, [("", picture.repeat(9, 0), sound)]]
    for number, case in enumerate(cases):
        path = tmp_path / f"{number}.png"
        sheet([Window("d/train/x%20y.mp4", *one) for one in case], path)
        assert path.read_bytes().startswith(b"\x89PNG")
    histograms({"length, s": np.array([2.0, 2.0]), "nothing": np.zeros(0)}, {"$a$": 3}, tmp_path / "h.png")
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
