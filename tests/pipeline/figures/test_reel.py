"""The reel: frames and cursor in time, the same bytes twice."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.figures.reel import reel
from pipeline.figures.strip import Strip

FRAMES, RATE, SIDE = 10, 8000, 32
FRAMES_PER_SECOND = 15.0
SECONDS = FRAMES / FRAMES_PER_SECOND
# Where the first clip's picture and wave lie in the reel, rows and columns.
PICTURE, WAVE = np.s_[14:166, 14:166], np.s_[176:216, 14:166]


def strip(title: str, *, loud_from: float, longer: float = 0.0) -> Strip:
    """Frames that grow brighter by 25 each; noise that sets in at a share of the clip; a sound that outlasts it."""
    frames = np.full((FRAMES, SIDE, SIDE, 3), 10, np.uint8)
    frames += 25 * np.arange(FRAMES, dtype=np.uint8)[:, None, None, None]
    times = np.arange(round((SECONDS + longer) * RATE)) / RATE
    loud = np.where(times >= loud_from * SECONDS, 0.5, 0.0) * np.where(times < SECONDS, 1.0, 2.0)
    return Strip(title, "wave", frames, loud * np.random.default_rng(0).uniform(-1, 1, len(times)), RATE)


@pytest.fixture
def drawn(tmp_path: Path) -> list[np.ndarray]:
    """The pages of a reel of two clips, grey."""
    path = tmp_path / "reel.webp"
    reel([strip("harp", loud_from=0.5, longer=0.2), strip("bell", loud_from=0.0)], FRAMES_PER_SECOND, path)
    pages = []
    with Image.open(path) as opened:
        for number in range(opened.n_frames):
            opened.seek(number)
            pages.append(np.asarray(opened.convert("L")).astype(float))
    return pages


def test_pictures_come_in_their_order(drawn: list[np.ndarray]) -> None:
    assert len(drawn) == FRAMES
    assert [page[PICTURE].mean() for page in drawn] == pytest.approx([10 + 25 * n for n in range(FRAMES)], abs=3)


def test_the_cursor_is_where_the_shown_frame_is(drawn: list[np.ndarray]) -> None:
    for number, page in enumerate(drawn):
        # The top row is white but for the cursor: noise is nowhere as loud as to reach it, twice.
        cursor = page[WAVE][:2].mean(axis=0).argmin() + 0.5
        assert cursor / 152 == pytest.approx((number + 0.5) / FRAMES, abs=1.5 / 152)


def test_the_wave_begins_where_the_sound_does_and_ends_with_the_frames(drawn: list[np.ndarray]) -> None:
    height = (drawn[0][WAVE] < 230).sum(axis=0)
    assert height[20:74].max() <= 2
    # What comes after the last frame is louder, and would make the rest small.
    assert height[78:].min() > 20


def test_it_plays_in_real_time_for_ever_and_is_the_same_twice(tmp_path: Path) -> None:
    clips = [strip("harp", loud_from=0.2)]
    for name in ("one.webp", "two.webp"):
        reel(clips, FRAMES_PER_SECOND, tmp_path / name)
    assert (tmp_path / "one.webp").read_bytes() == (tmp_path / "two.webp").read_bytes()
    with Image.open(tmp_path / "one.webp") as opened:
        assert opened.info["loop"] == 0
        durations = []
        for number in range(opened.n_frames):
            opened.seek(number)
            opened.load()
            durations.append(opened.info["duration"])
    assert set(durations) == {66, 67}
    assert sum(durations) == round(1000 * SECONDS)


def test_clips_of_different_lengths_are_refused(tmp_path: Path) -> None:
    long = strip("harp", loud_from=0.0)
    short = Strip("bell", "kick", long.frames[:-1], long.sound, RATE)
    with pytest.raises(ValueError, match="shorter"):
        reel([long, short], FRAMES_PER_SECOND, tmp_path / "reel.webp")
    with pytest.raises(ValueError, match="at least one clip"):
        reel([], FRAMES_PER_SECOND, tmp_path / "reel.webp")
