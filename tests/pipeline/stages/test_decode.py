"""Decoding real files: what comes out is what is in them, and what is damaged has a reason."""

from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from pipeline.datasets.toyworld import Toyworld
from pipeline.files import md5_of
from pipeline.media.sound import log_spectrogram, read_sound
from pipeline.media.video import open_video, square, square_frames
from pipeline.store.shards import Shard
from tests.project import Project

WORLD = Toyworld(
    seed=1, clips={"train": 4, "validation": 0, "test": 0}, seconds=1.0, fps=12.5, side=64, sample_rate=48000
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    return folder / next(iter(WORLD.make(folder, workers=1)))["path"]


def test_frames_are_those_of_the_file_with_their_times(clip: Path) -> None:
    video = open_video(clip)
    with av.open(str(clip)) as container:
        frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    np.testing.assert_allclose(video.times, [time for time, _ in frames], atol=1e-6)
    decoded = np.concatenate(list(square_frames(video, np.arange(len(video.times)), 64)))
    # Both decode the same YUV pictures; their conversions to RGB round differently.
    assert np.abs(decoded.astype(int) - np.stack([frame for _, frame in frames])).mean() < 2


def test_sound_stands_at_its_own_times(clip: Path) -> None:
    rendered = WORLD.render("train", 0).sound
    decoded = read_sound(clip, 48000)[: len(rendered)] / 32768
    lags = range(-2000, 2001, 40)
    middle = slice(4000, len(rendered) - 4000)
    match = [np.corrcoef(rendered[middle], np.roll(decoded, lag)[middle])[0, 1] for lag in lags]
    assert abs(lags[int(np.argmax(match))]) <= 40
    assert max(match) > 0.8


def test_the_spectrogram_is_that_of_the_papers() -> None:
    """257 x 200 from a second at 48 kHz, and each column equal to a Fourier transform written out by hand."""
    rng = np.random.default_rng(0)
    samples = (rng.normal(size=48000) * 3000).astype(np.int16)
    made = log_spectrogram(samples, 48000)
    assert made.shape == (200, 257)
    column = 100
    centre = column * 240 + 120
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(480) / 480)
    piece = samples[centre - 240 : centre + 240] / 32768 * window
    by_hand = [abs(np.sum(piece * np.exp(-2j * np.pi * k * np.arange(480) / 512))) for k in range(257)]
    np.testing.assert_allclose(made[column], np.log(np.array(by_hand) + 1e-5), atol=0.02)


def test_a_tone_is_a_line_at_its_pitch() -> None:
    tone = (10000 * np.sin(2 * np.pi * 3000 * np.arange(48000) / 48000)).astype(np.int16)
    assert set(log_spectrogram(tone, 48000)[5:-5].argmax(axis=1)) == {32}  # 3000 Hz / (48000 / 512)


@pytest.mark.parametrize("size", [(40, 100), (100, 40), (64, 64), (10, 20)])
def test_the_middle_square_is_kept(size: tuple[int, int]) -> None:
    height, width = size
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :, 0] = np.linspace(0, 255, width)[None]
    image[:, :, 1] = np.linspace(0, 255, height)[:, None]
    made = square(image, 32)
    assert made.shape == (32, 32, 3)
    centre = made[15:17, 15:17].mean(axis=(0, 1))
    np.testing.assert_allclose(centre[:2], 127.5, atol=6)


@pytest.mark.slow
def test_damaged_files_stand_in_the_index_with_their_reason(made: Project) -> None:
    clips = made.root / "data/raw/smoke/toyworld/clips/train"
    content = (clips / "000000.mp4").read_bytes()
    damages = {
        "000000": (content[: len(content) // 2], "cannot be decoded"),
        "000001": (b"", "cannot be decoded"),
        "000002": (b"a text file\n" * 100, "cannot be decoded"),
        "000003": (content[:40] + b"\0" * 400 + content[440:], "cannot be decoded"),
        "000004": (None, "cannot be read: No such file or directory"),
        "000005": (content, "changed since it was listed"),
    }
    listing = made.root / "data/raw/smoke/toyworld/files.parquet"
    files = pd.read_parquet(listing)
    for name, (damaged, _) in damages.items():
        path = clips / f"{name}.mp4"
        if damaged is None:
            path.unlink()
            continue
        path.write_bytes(damaged)
        if name != "000005":
            files.loc[files["id"] == f"toyworld/train/{name}", "md5"] = md5_of(path)
    files.to_parquet(listing)

    arguments = "--scale smoke --dataset toyworld --split train"
    for shard in (0, 1):
        made.pipeline("decode", *arguments.split(), "--shard", str(shard))
    made.pipeline("index", *arguments.split())
    rows = pd.read_parquet(made.root / "data/decoded/smoke/toyworld/index/train.parquet").set_index("parent")
    assert len(rows) == 120
    for name, (_, reason) in damages.items():
        assert rows.loc[f"toyworld/train/{name}", "reason"].startswith(reason)
        assert pd.isna(rows.loc[f"toyworld/train/{name}", "offset"])
    assert rows["reason"].notna().sum() == len(damages)


@pytest.mark.slow
def test_a_long_file_becomes_several_windows_on_one_clock(made: Project) -> None:
    made.edit("params.yaml", "store: {side: 32, window_seconds: 10.0", "store: {side: 32, window_seconds: 0.4")
    made.pipeline("fingerprint")
    made.pipeline("decode", *["--scale", "smoke", "--dataset", "toyworld", "--split", "test", "--shard", "0"])
    rows = pd.read_parquet(made.root / "data/decoded/smoke/toyworld/test-000.parquet")
    one = rows[rows["parent"] == rows["parent"].iloc[0]]
    assert one["start"].tolist() == [0.0, 0.4, 0.8]
    times = np.concatenate(one["frame_times"].to_list())
    np.testing.assert_allclose(times, np.arange(12) / 12.5, atol=1e-6)
    shard = Shard(made.root / "data/decoded/smoke/toyworld/test-000.arrow")
    lengths = [len(shard.window("spectrogram", int(offset))) for offset in one["offset"]]
    assert lengths[:2] == [80, 80]
