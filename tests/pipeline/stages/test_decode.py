"""Decoding real files: what comes out is what is in them, and what is damaged has a reason."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from pipeline import paths
from pipeline.cards import read_card
from pipeline.datasets.toyworld import Toyworld
from pipeline.errors import UserError
from pipeline.files import md5_of, partial
from pipeline.lineage import dvc_sync
from pipeline.lineage.receipts import read_receipt
from pipeline.media.sound import read_sound
from pipeline.media.spectrogram import log_spectrogram
from pipeline.media.video import open_video, square
from pipeline.parameters import read_parameters
from pipeline.stages.decode import decode
from pipeline.stages.index import index
from pipeline.store.index import read_index
from pipeline.store.sharding import shard_counts
from pipeline.store.shards import Shard
from tests.pipeline.media.films import film
from tests.project import ROOT

WORLD = Toyworld(
    seed=1, clips={"train": 4, "validation": 0, "test": 0}, seconds=1.0, fps=12.5, side=64, sample_rate=48000, hard=0.0
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
    decoded = video.frames(np.arange(len(video.times)), 64)
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


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder in which nothing is but cards, parameters and fingerprints."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "data" / "cards", tmp_path / "data" / "cards")
    shutil.copyfile(ROOT / "data" / "excluded.txt", tmp_path / "data" / "excluded.txt")
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    dvc_sync.refresh(read_parameters(), "smoke")
    return tmp_path


def listed(files: dict[str, bytes]) -> None:
    """Training files with these contents, listed as `fetch` does it. By name, with the suffix."""
    folder = paths.raw("smoke", "toyworld") / "clips" / "train"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        rows.append(
            {"id": f"toyworld/train/{Path(name).stem}", "split": "train", "path": (folder / name).as_posix()}
            | {"md5": md5_of(folder / name), "size": len(content)}
            | {f"label_{label}": value.classes[0] for label, value in read_card("toyworld").labels.items()}
        )
    pd.DataFrame(rows).to_parquet(paths.raw("smoke", "toyworld") / "files.parquet")


def decoded(**store: object) -> pd.DataFrame:
    """The rows of the training split, by id, after decoding with changed settings of the store."""
    read = read_parameters()
    smoke = read.at("smoke")
    smoke = smoke.model_copy(update={"store": smoke.store.model_copy(update=store)})
    changed = read.model_copy(update={"scales": {**read.scales, "smoke": smoke}})
    for number in range(shard_counts(changed, "smoke", "toyworld")["train"]):
        decode(changed, "smoke", "toyworld", "train", number)
    index(changed, "smoke", "toyworld", "train")
    return read_index(paths.index("smoke", "toyworld", "train")).set_index("id").sort_index()


@pytest.mark.usefixtures("house")
def test_damaged_files_stand_in_the_index_with_their_reason(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = clip.read_bytes()
    damages = {
        "half": (content[: len(content) // 2], "cannot be decoded"),
        "empty": (b"", "is empty"),
        "text": (b"a text file\n" * 100, "is of no type that is known here"),
        "more-text": (b"another\n" * 100, "is of no type that is known here"),
        "holes": (content[:40] + bytes(400) + content[440:], "cannot be decoded"),
        "missing": (content, "cannot be read: No such file or directory"),
        "changed": (content, "changed since it was listed"),
    }
    listed({f"{name}.mp4": broken for name, (broken, _) in damages.items()} | {"whole.mp4": content})
    folder = paths.raw("smoke", "toyworld") / "clips" / "train"
    (folder / "missing.mp4").unlink()
    (folder / "changed.mp4").write_bytes(content + b"\0")
    rows = decoded()
    assert len(rows) == len(damages) + 1
    for name, (_, reason) in damages.items():
        assert rows.loc[f"toyworld/train/{name}", "reason"].startswith(reason)
        assert pd.isna(rows.loc[f"toyworld/train/{name}", "offset"])
    assert pd.isna(rows.loc["toyworld/train/whole", "reason"])
    told = capsys.readouterr().err
    assert "'toyworld/train/empty' is empty" in told
    assert "files are left out" in told
    notes = [
        read_receipt(paths.shard("smoke", "toyworld", "train", number).with_suffix(".receipt.json"))["notes"]
        for number in (0, 1)
    ]
    assert sum(note["unusable"] for note in notes) == len(damages)
    assert sum(note["reasons"].get("is of no type that is known here", 0) for note in notes) == 2


@pytest.mark.usefixtures("house")
def test_a_long_file_becomes_several_windows_on_one_clock(clip: Path) -> None:
    listed({"long.mp4": clip.read_bytes()})
    rows = decoded(window_seconds=0.4)
    assert rows.index.tolist() == [f"toyworld/train/long@000{number}" for number in range(3)]
    assert rows["start"].tolist() == [0.0, 0.4, 0.8]
    times = np.concatenate(rows["frame_times"].to_list())
    np.testing.assert_allclose(times, np.arange(12) / 12.5, atol=1e-6)
    shard = Shard(paths.decoded("smoke", "toyworld") / f"{rows['shard'].iloc[0]}.arrow")
    lengths = [len(shard.window("spectrogram", int(offset))) for offset in rows["offset"]]
    assert lengths[:2] == [80, 80]


@pytest.mark.usefixtures("house")
def test_a_file_that_breaks_in_the_middle_is_left_out_whole(clip: Path) -> None:
    """Its headers are whole, and so are its first windows: what is broken is noticed when they are written."""
    whole = film(clip.parent / "film.mp4", options={"movflags": "faststart"}).read_bytes()
    content = bytearray(whole)
    place = round(0.85 * len(content))
    content[place : place + 1500] = b"\xa5" * 1500
    listed({"broken.mp4": bytes(content), "whole.mp4": whole})
    rows = decoded(window_seconds=0.5)
    assert rows.loc["toyworld/train/broken", "reason"].startswith("cannot be decoded")
    assert rows["reason"].isna().sum() == 4
    written = sum(len(Shard(paths.decoded("smoke", "toyworld") / f"{shard}.arrow")) for shard in set(rows["shard"]))
    assert 4 < written < 8


@pytest.mark.usefixtures("house")
@pytest.mark.slow
def test_the_same_files_make_the_same_bytes(clip: Path) -> None:
    content = clip.read_bytes()
    listed({"one.mp4": content, "two.mp4": content, "half.mp4": content[:5000], "text.mp4": b"text"})
    hashes = []
    for _ in range(2):
        decoded()
        made = sorted(paths.decoded("smoke", "toyworld").rglob("*.arrow"))
        made += sorted(paths.decoded("smoke", "toyworld").rglob("*.parquet"))
        hashes.append({path.as_posix(): md5_of(path) for path in made})
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 5


@pytest.mark.slow
def test_killed_in_the_middle_of_a_shard_it_leaves_nothing_and_is_made_the_same(house: Path, clip: Path) -> None:
    listed({f"{number}.mp4": clip.read_bytes() for number in range(120)})
    arrow = paths.shard("smoke", "toyworld", "train", 0)
    command = [sys.executable, "-m", "pipeline", "decode", "--scale", "smoke", "--dataset", "toyworld"]
    command += ["--split", "train", "--shard", "0"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "ssl")])}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while not (partial(arrow).exists() and partial(arrow).stat().st_size > 100_000):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        process.kill()
    assert not arrow.exists()
    assert not arrow.with_suffix(".receipt.json").exists()
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    again = md5_of(arrow)
    rows = read_index(arrow.with_suffix(".parquet"))
    assert rows["reason"].isna().all()
    assert len(Shard(arrow)) == len(rows)
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    assert md5_of(arrow) == again


@pytest.mark.usefixtures("house")
def test_a_store_that_keeps_nothing_of_the_files_is_refused(clip: Path) -> None:
    listed({"one.mp4": clip.read_bytes()})
    card = paths.card("toyworld")
    card.write_text(card.read_text().replace("modality: audio-visual", "modality: audio"))
    with pytest.raises(
        UserError, match=r"store\.streams: keeps nothing of toyworld, whose modality is audio: add one of"
    ):
        decoded(streams=["frames", "motion"])
