"""The store gives back what was written, without a copy where it can, at the times that are asked for."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from pipeline.errors import UserError
from pipeline.store import jpeg
from pipeline.store.sharding import shard_of
from pipeline.store.shards import Shard, ShardWriter
from pipeline.store.source import StoreSource
from pipeline.store.streams import stream
from selfsup.networks.encoder import Window, window_times
from selfsup.source import Draw, Span, TooLittleData

STREAMS = {name: stream(name, side=4, sample_rate=8000) for name in ("frames", "spectrogram", "sound")}


def window(seconds: float, fps: float, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "frames": rng.integers(0, 255, (round(seconds * fps), 4, 4, 3), dtype=np.uint8),
        "spectrogram": rng.integers(0, 256, (round(200 * seconds), 257), dtype=np.uint8),
        "sound": rng.integers(-99, 99, round(8000 * seconds), dtype=np.int16),
    }


@pytest.fixture
def windows(tmp_path: Path) -> list[dict[str, np.ndarray]]:
    made = [window(1.0, 10, 0), window(2.0, 5, 1)]
    with ShardWriter(tmp_path / "train-000.arrow", STREAMS) as writer:
        assert [writer.append(one) for one in made] == [0, 1]
    return made


@pytest.fixture
def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["d/train/a", "d/train/broken", "d/train/b@0001"],
            "parent": ["d/train/a", "d/train/broken", "d/train/b"],
            "split": "train",
            "start": [0.0, None, 10.0],
            "end": [0.9, None, 11.8],
            "frame_times": [np.arange(10) / 10, None, 10 + np.arange(10) / 5],
            "shard": "train-000",
            "offset": [0, None, 1],
            "reason": [None, "cannot be decoded", None],
            "label_object": ["drum", "harp", "harp"],
        }
    )


def test_a_window_is_a_view_of_the_mapped_file(tmp_path: Path, windows: list[dict[str, np.ndarray]]) -> None:
    before = pa.total_allocated_bytes()
    shard = Shard(tmp_path / "train-000.arrow")
    for offset, written in enumerate(windows):
        for name, array in written.items():
            read = shard.window(name, offset)
            np.testing.assert_array_equal(read, STREAMS[name].restored(array))
            if name == "spectrogram":
                continue
            assert read.dtype == array.dtype
            assert not read.flags.owndata
            assert not read.flags.writeable
    assert pa.total_allocated_bytes() - before < 10_000


def test_values_are_kept_to_half_a_unit() -> None:
    for name, values in {
        "spectrogram": np.linspace(math.log(1e-5), 5.4, 1000),
        "flow": np.linspace(-15.8, 15.8, 1000),
    }.items():
        kept = stream(name, side=4, sample_rate=8000)
        unit = kept.unit
        assert unit is not None
        restored = kept.restored(kept.quantised(values))
        assert restored.dtype == np.float32
        np.testing.assert_allclose(restored, values, rtol=0, atol=unit / 2 + 1e-6)
        beyond = kept.restored(kept.quantised(np.array([-1e3, 1e3])))
        assert beyond[0] < values[0] + unit
        assert beyond[1] > values[-1] - unit


PICTURES = {"frames": stream("frames", side=32, sample_rate=8000, jpeg=92)}


def gradients() -> np.ndarray:
    """(12, 32, 32, 3) uint8: smooth pictures, each of another colour, that JPEG changes little."""
    across = np.linspace(0, 1, 32)
    weights = np.random.default_rng(0).uniform(20, 120, (12, 2, 3))
    picture = weights[:, None, None, 0] * across[:, None, None] + weights[:, None, None, 1] * across[:, None]
    return picture.round().astype(np.uint8)


def test_pictures_are_kept_as_jpeg_and_decoded_where_they_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = gradients()
    with ShardWriter(tmp_path / "train-000.arrow", PICTURES) as writer:
        writer.append({"frames": frames})
    shard = Shard(tmp_path / "train-000.arrow")
    assert shard.streams == PICTURES
    read = shard.window("frames", 0)
    assert read.dtype == np.uint8
    assert np.abs(read.astype(int) - frames).max() <= 6
    assert np.abs(read.astype(int) - frames).mean() < 1.5
    decoded = []
    monkeypatch.setattr(
        jpeg, "decoded", lambda content, real=jpeg.decoded: decoded.append(len(content)) or real(content)
    )
    steps = shard.steps("frames", 0)
    assert len(steps) == 12
    np.testing.assert_array_equal(steps[np.array([7, 2, 7])], read[[7, 2, 7]])
    assert len(decoded) == 3
    assert sum(decoded) < 3 * frames[0].nbytes / 2


def test_damaged_pictures_are_named(tmp_path: Path) -> None:
    path = tmp_path / "train-000.arrow"
    with ShardWriter(path, PICTURES) as writer:
        writer.append({"frames": gradients()})
    content = path.read_bytes()
    assert content.count(b"\xff\xd8\xff") == 12
    path.write_bytes(content.replace(b"\xff\xd8\xff", b"\xff\xd9\xff"))
    with pytest.raises(UserError, match=r"train-000\.arrow: window 0 is not readable \(a picture is no JPEG\)"):
        Shard(path).window("frames", 0)
    # Another height than the stream's, in the frame header.
    path.write_bytes(content.replace(b"\xff\xc0\x00\x11\x08\x00\x20", b"\xff\xc0\x00\x11\x08\x00\x10"))
    with pytest.raises(UserError, match=r"train-000\.arrow: window 0 is not readable"):
        Shard(path).window("frames", 0)


def test_frames_are_those_shown_at_a_time(
    tmp_path: Path, windows: list[dict[str, np.ndarray]], rows: pd.DataFrame
) -> None:
    source = StoreSource(tmp_path, rows, "clips", {"object": ["drum", "harp"]})
    times = torch.tensor([[0.0, 0.1999, 0.2, 5.0], [10.0, 10.39, 10.4, 9.0]], dtype=torch.float64)
    batch = source.take(Draw(torch.tensor([0, 1]), torch.tensor([0, 2]), {"frames": times}))
    taken = batch.streams["frames"].permute(0, 1, 3, 4, 2).numpy()
    np.testing.assert_array_equal(taken[0], windows[0]["frames"][[0, 1, 2, 9]])
    np.testing.assert_array_equal(taken[1], windows[1]["frames"][[0, 1, 2, 0]])
    assert batch.labels["object"].tolist() == [0, 1]


def test_a_span_is_consecutive_from_its_start(
    tmp_path: Path, windows: list[dict[str, np.ndarray]], rows: pd.DataFrame
) -> None:
    source = StoreSource(tmp_path, rows, "clips", {})
    spans = {"spectrogram": Span(torch.tensor([0.5, 10.25], dtype=torch.float64), 100)}
    batch = source.take(Draw(torch.tensor([0, 1]), torch.tensor([0, 2]), spans))
    heard = [STREAMS["spectrogram"].restored(one["spectrogram"]) for one in windows]
    np.testing.assert_array_equal(batch.streams["spectrogram"][0], heard[0][100:200])
    np.testing.assert_array_equal(batch.streams["spectrogram"][1], heard[1][50:150])
    assert batch.labels == {}


@pytest.mark.parametrize("centre", [0.25, 0.5, 0.75])
def test_an_even_window_around_a_step_misses_none_and_repeats_none(
    tmp_path: Path, windows: list[dict[str, np.ndarray]], rows: pd.DataFrame, centre: float
) -> None:
    """Every time of it is half a step from two steps."""
    source = StoreSource(tmp_path, rows, "clips", {})
    times = window_times(torch.tensor([centre], dtype=torch.float64), Window(steps=80, seconds=79 / 200))
    batch = source.take(Draw(torch.tensor([0]), torch.tensor([0]), {"spectrogram": times}))
    first = round(centre * 200) - 40
    heard = STREAMS["spectrogram"].restored(windows[0]["spectrogram"])
    np.testing.assert_array_equal(batch.streams["spectrogram"][0], heard[first : first + 80])


@pytest.mark.usefixtures("windows")
def test_only_usable_rows_are_drawn(tmp_path: Path, rows: pd.DataFrame) -> None:
    assert StoreSource(tmp_path, rows, "clips", {}).table["row"].tolist() == [0, 2]
    frames = StoreSource(tmp_path, rows, "frames", {}).table
    assert frames["row"].tolist() == [0] * 10 + [2] * 10
    assert frames["time"][-1] == 11.8


@pytest.mark.usefixtures("windows")
def test_a_window_lasts_as_long_as_its_pictures_or_else_its_sound(tmp_path: Path, rows: pd.DataFrame) -> None:
    rows["end"] = [5.0, None, 15.0]
    table = StoreSource(tmp_path, rows, "clips", {}).table
    assert (table["start"].tolist(), table["end"].tolist()) == ([0.0, 10.0], [0.9, 11.8])
    rows["frame_times"] = [np.zeros(0)] * 3
    table = StoreSource(tmp_path, rows, "clips", {}).table
    assert (table["start"].tolist(), table["end"].tolist()) == ([0.0, 10.0], [5.0, 15.0])


@pytest.mark.usefixtures("windows")
def test_what_cannot_be_drawn_is_named(tmp_path: Path, rows: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="has no label 'action'"):
        StoreSource(tmp_path, rows, "clips", {"action": ["sit"]})
    with pytest.raises(UserError, match="label object is 'harp', which the card does not list"):
        StoreSource(tmp_path, rows, "clips", {"object": ["drum"]})
    rows["reason"] = "excluded: withdrawn"
    with pytest.raises(TooLittleData, match="no clip of its train split can be used; 3 excluded: withdrawn"):
        StoreSource(tmp_path, rows, "clips", {})


@pytest.mark.usefixtures("windows")
def test_damaged_shards_are_named(tmp_path: Path) -> None:
    path = tmp_path / "train-000.arrow"
    with pytest.raises(UserError, match=r"train-000\.arrow: holds no stream 'flow', only frames"):
        Shard(path).window("flow", 0)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"\0" * 1000):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"train-000\.arrow: not a readable shard"):
            Shard(path)
    with pytest.raises(UserError, match="this shard is missing"):
        Shard(tmp_path / "none.arrow")


@pytest.mark.usefixtures("windows")
def test_a_shard_with_flipped_bits_is_read_or_named(tmp_path: Path) -> None:
    """Pixels that changed are the audit's business, by their hash; what no longer fits together is seen at once."""
    path = tmp_path / "train-000.arrow"
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    named = 0
    for number in range(300):
        changed = bytearray(content)
        end = 1500 if number % 2 else len(content)
        for place in rng.integers(0, end, 4) if number % 3 else len(content) - 1 - rng.integers(0, 900, 4):
            changed[place] ^= 1 << int(rng.integers(8))
        damaged = tmp_path / f"{number}.arrow"
        damaged.write_bytes(changed)
        try:
            shard = Shard(damaged)
            for offset in range(2):
                for name in STREAMS:
                    assert shard.window(name, offset).shape[1:] == STREAMS[name].shape
        except UserError as error:
            named += 1
            text = str(error)
            assert text.startswith(str(damaged)), text
    assert named > 50


def test_a_stream_of_the_wrong_kind_is_refused(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "x.arrow", STREAMS) as writer:
        wrong = window(1.0, 10, 0) | {"frames": np.zeros((3, 4, 4, 3), np.float32)}
        with pytest.raises(ValueError, match=r"stream frames: expected uint8 \(T, 4, 4, 3\), found float32"):
            writer.append(wrong)


def test_adding_a_clip_moves_no_other() -> None:
    clips = [f"d/train/{number}" for number in range(1000)]
    counts = np.bincount([shard_of(clip, 4) for clip in clips])
    assert counts.min() > 200
    assert [shard_of(clip, 4) for clip in clips] == [shard_of(clip, 4) for clip in [*clips, "d/train/new"]][:-1]
