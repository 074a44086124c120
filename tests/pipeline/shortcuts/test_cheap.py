"""What is planted in clips is found by the cue that sees it, and nothing is found where nothing is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.parameters import read_parameters
from pipeline.shortcuts.cheap import DIRECTION, ORDER, Finding, cheap, distances, powers
from pipeline.shortcuts.clips import Cues, collect
from pipeline.shortcuts.values import CUES, Clip
from pipeline.store.shards import ShardWriter
from pipeline.store.streams import Stream

pytestmark = pytest.mark.slow

MakeClip = Callable[[int], Clip]
CLIPS, CLASSES = 300, 2
STREAMS = {
    "frames": Stream("uint8", (32, 32, 3), None),
    "flow": Stream("float32", (16, 16, 2), None),
    "spectrogram": Stream("float32", (257,), 200.0),
}
Leak = Callable[[np.ndarray, int], None]


def runs_of(mask: np.ndarray) -> list[int]:
    flat = np.concatenate([[False], mask.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.concatenate([[0], edges, [mask.size]])).tolist()


def findings_of(folder: Path, make_clip: MakeClip, leak: Leak) -> dict[tuple[str, str], Finding]:
    """Of clips of noise with a silhouette each, in whose frames (T, S, S, 3) a leak tells the class."""
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=CLIPS)
    rows, objects, tuples = [], [], []
    with ShardWriter(folder / "train-000.arrow", STREAMS) as writer:
        for number, label in enumerate(labels):
            one = make_clip(number)
            frames = rng.integers(100, 120, one.frames.shape, dtype=np.uint8) + rng.integers(0, 40, dtype=np.uint8)
            leak(frames, label)
            streams = {"frames": frames, "flow": one.flow, "spectrogram": one.spectrogram}
            row = {"id": f"d/train/{number}", "parent": f"d/train/{number}", "start": 0.0, "shard": "train-000"}
            row |= {"frame_times": one.times, "width": 32, "height": 32, "offset": writer.append(streams)}
            rows.append(row)
            tuples.append({"id": row["id"], **dict(zip("abcde", one.times[[1, 3, 5, 7, 9]], strict=True))})
            box = {"left": 0.0, "top": 8.0, "right": 13.0, "bottom": 20.0, "role": "main", "id": row["id"]}
            objects += [{**box, "frame": at, "mask": runs_of(~one.visible[at])} for at in range(len(one.times))]
    pq.write_table(pa.Table.from_pylist(objects), folder / "objects.parquet")
    order = rng.permutation(CLIPS)
    shuffled = pd.DataFrame([rows[at] for at in order])
    cues = collect(shuffled, folder, folder / "objects.parquet", pd.DataFrame(tuples), points=6, folds=5, per_clip=2)
    assert sorted(cues.positions) == list(range(CLIPS))
    settings = read_parameters().at("smoke").shortcuts
    own = labels[order][cues.positions]
    found = cheap(cues, {"action": own, "sounding": own}, "sounding", settings)
    return {(one.cue, one.target): one for one in found}


def leaking(found: dict[tuple[str, str], Finding]) -> set[tuple[str, str]]:
    """Cells that are far above chance: far more than five of their standard errors."""
    return {place for place, one in found.items() if one.accuracy > one.chance + max(5 * one.error, 0.15)}


def test_a_brighter_background_is_found(tmp_path: Path, make_clip: MakeClip) -> None:
    def leak(frames: np.ndarray, label: int) -> None:
        frames += np.uint8(80 * label)

    found = findings_of(tmp_path, make_clip, leak)
    told = {"mean colour", "colour histogram", "background"}
    assert leaking(found) == {(cue, "action") for cue in told}
    assert not any(found[cue, "action"].passes for cue in told)
    assert {target for cue, target in found if cue == "mean colour"} == {"action", ORDER, DIRECTION}
    assert {cue for cue, target in found if target == "sounding"} == {"loudness", "clip length"}
    assert found["clip length", DIRECTION].accuracy == 0.5
    assert found["clip length", DIRECTION].passes


def test_a_coloured_object_is_not_the_backgrounds(tmp_path: Path, make_clip: MakeClip) -> None:
    hidden = ~make_clip(0).visible

    def leak(frames: np.ndarray, label: int) -> None:
        frames[hidden] = (250, 20, 20) if label else (20, 20, 250)

    found = leaking(findings_of(tmp_path, make_clip, leak))
    assert {("mean colour", "action"), ("colour histogram", "action")} <= found
    assert not {place for place in found if place[0] == "background"}


def test_a_clip_that_grows_darker_shows_its_direction(tmp_path: Path, make_clip: MakeClip) -> None:
    def leak(frames: np.ndarray, label: int) -> None:
        frames -= np.arange(0, 4 * len(frames), 4, dtype=np.uint8)[:, None, None, None]

    told = {"mean colour", "colour histogram", "background", "brightness drift"}
    found = findings_of(tmp_path, make_clip, leak)
    assert {cue for cue, target in leaking(found) if target == DIRECTION} == told
    # A frame from before or after is as often brighter as darker.
    assert found["mean colour", ORDER].accuracy == pytest.approx(0.5, abs=0.1)


def test_a_cue_of_enough_clips_is_shown_to_be_absent() -> None:
    """As many clips as the default scale has: nothing in them, every cell passes, as the stated power says."""
    rng = np.random.default_rng(0)
    clips = 6200
    noise = {cue: list(rng.normal(size=(clips, 3)).astype(np.float32)) for cue in CUES}
    pairs = {cue: list(rng.normal(size=(clips, 2, 9)).astype(np.float32)) for cue in CUES}
    cues = Cues([*range(clips)], [at % 5 for at in range(clips)], noise, noise, pairs, [*range(clips)])
    settings = read_parameters().at("default").shortcuts
    found = cheap(cues, {"action": rng.integers(10, size=clips)}, None, settings)
    assert all(one.passes for one in found)
    assert min(powers(found, settings.margin).values()) > 0.999


def test_order_is_told_by_distances_where_a_cue_moves_steadily() -> None:
    """Which no linear classifier on the cue itself can see."""
    rng = np.random.default_rng(0)
    clips = 400
    pairs = {cue: list(rng.normal(size=(clips, 2, 3)).astype(np.float32)) for cue in CUES}
    direction = rng.choice([-1, 1], size=clips)
    outside = rng.choice([-1, 3], size=clips)
    pairs["mean colour"] = [
        np.array([[0, sign, 2 * sign], [0, sign * at, 2 * sign]], np.float32)
        for sign, at in zip(direction, outside, strict=True)
    ]
    nothing = {cue: list(np.zeros((clips, 1), np.float32)) for cue in CUES}
    cues = Cues([*range(clips)], [at % 5 for at in range(clips)], nothing, nothing, pairs, [*range(clips)])
    settings = read_parameters().at("smoke").shortcuts
    told = {one.cue: one.accuracy for one in distances(cues, settings)}
    assert told.pop("mean colour") > 0.95
    assert max(told.values()) < 0.6
    found = {(one.cue, one.target): one.accuracy for one in cheap(cues, {}, None, settings)}
    assert found["mean colour", ORDER] < 0.6
