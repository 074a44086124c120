"""Pictures and sound are on one clock: a flash and a click that coincide in a file coincide in its streams."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipeline.media.windows import windows
from pipeline.parameters.models import Store
from tests.pipeline.media.films import EVEN, FLASH, UNEVEN, film, with_edit_list

STORE = Store(
    side=32,
    window_seconds=10.0,
    streams=["frames", "sound", "spectrogram", "flow", "motion"],
    sample_rate=48000,
    jpeg_quality=None,
    clips_per_shard=1,
    max_pixels=1_000_000,
    file_seconds=30,
    file_memory_mb=1500,
)
LATE = EVEN[EVEN >= 0.4799]


def seen_and_heard(path: Path, store: Store = STORE) -> tuple[float, float, dict[str, Any], dict[str, np.ndarray]]:
    """When the flash is shown and the click begins, seconds; and the only window."""
    [(facts, streams)] = windows(path, "audio-visual", store)
    brightness = streams["frames"].mean(axis=(1, 2, 3))
    [lit] = np.flatnonzero(brightness > 150)
    return facts["frame_times"][lit], onset(streams["sound"], store.sample_rate), facts, streams


def onset(sound: np.ndarray, rate: int) -> float:
    loud = np.abs(sound.astype(float))
    return int(np.argmax(loud > loud.max() / 2)) / rate


CASES: dict[str, dict[str, Any]] = {
    "plain.mp4": {},
    "plain.mkv": {},
    "plain.mov": {"audio": "pcm_s16le"},
    "plain.ts": {},
    "vp9.webm": {"video": "libvpx-vp9", "audio": "libopus"},
    "av1.mkv": {"video": "libsvtav1", "audio": "flac"},
    "uneven.mp4": {"times": UNEVEN},
    "uneven.mkv": {"times": UNEVEN},
    "uneven.webm": {"times": UNEVEN, "video": "libvpx-vp9", "audio": "libopus"},
    "pictures-late.mp4": {"times": LATE},
    "pictures-late.mkv": {"times": LATE},
    "pictures-late.webm": {"times": LATE, "video": "libvpx-vp9", "audio": "libopus"},
    "sound-late.mp4": {"sound_from": 0.5},
    "sound-late.mkv": {"sound_from": 0.5},
    "sound-late.webm": {"sound_from": 0.5, "video": "libvpx-vp9", "audio": "libopus"},
    "gap.mkv": {"gap": (0.3, 0.7), "audio": "pcm_s16le"},
    "both-late.mkv": {"times": EVEN + 0.6, "sound_from": 0.6, "seconds": 2.6},
    "cd.mp4": {"rate": 44100, "layout": "stereo"},
    "telephone.mkv": {"rate": 8000, "audio": "pcm_s16le"},
}


@pytest.mark.parametrize("name", CASES)
def test_a_flash_and_a_click_coincide(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name, **CASES[name])
    flash, click, facts, streams = seen_and_heard(path)
    # The lit frame is the last that begins before the click; sound is a few ms off where the codec smears it.
    later = [time for time in facts["frame_times"] if time > flash + 1e-6]
    assert flash - 0.005 <= click <= min(later) + 0.005
    if name != "both-late.mkv" and name != "plain.ts":
        assert click == pytest.approx(FLASH, abs=0.005)
    # Both begin at 0, or one of them later, and sound lasts as long as pictures.
    end = facts["frame_times"][-1]
    assert len(streams["sound"]) / 48000 >= end
    assert len(streams["spectrogram"]) == len(streams["sound"]) // 240
    assert len(streams["flow"]) == len(streams["motion"]) == len(streams["frames"]) == len(facts["frame_times"])


def test_frames_come_in_the_order_and_at_the_times_that_pyav_has(tmp_path: Path) -> None:
    for name in ("plain.mp4", "uneven.mkv", "plain.ts", "av1.mkv"):
        path = film(tmp_path / name, size=32, **CASES[name])
        [(facts, streams)] = windows(path, "video", STORE)
        with av.open(str(path)) as container:
            frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
        first = frames[0][0]
        np.testing.assert_allclose(facts["frame_times"], [time - first for time, _ in frames], atol=1e-6)
        difference = streams["frames"].astype(int) - np.stack([frame for _, frame in frames])
        assert np.abs(difference).mean(axis=(1, 2, 3)).max() < 3


def test_late_streams_stand_where_they_begin(tmp_path: Path) -> None:
    _, _, facts, _ = seen_and_heard(film(tmp_path / "pictures.mp4", **CASES["pictures-late.mp4"]))
    assert facts["frame_times"][0] == pytest.approx(0.48, abs=0.002)
    _, _, _, streams = seen_and_heard(film(tmp_path / "sound.mkv", **CASES["sound-late.mkv"]))
    assert not streams["sound"][: round(0.47 * 48000)].any()
    assert streams["sound"][round(0.55 * 48000) : round(0.6 * 48000)].any()
    _, _, _, streams = seen_and_heard(film(tmp_path / "gap.mkv", **CASES["gap.mkv"]))
    assert not streams["sound"][round(0.34 * 48000) : round(0.68 * 48000)].any()
    assert streams["sound"][: round(0.28 * 48000)].any()


def test_what_an_edit_list_cuts_is_not_there(tmp_path: Path) -> None:
    path = with_edit_list(film(tmp_path / "cut.mp4"), skipped=0.4)
    flash, click, facts, _ = seen_and_heard(path)
    assert flash == pytest.approx(FLASH - 0.4, abs=0.001)
    assert click == pytest.approx(FLASH - 0.4, abs=0.025)
    assert len(facts["frame_times"]) == len(EVEN) - 10


def test_groups_of_pictures_that_an_edit_list_cuts_are_no_loss(tmp_path: Path) -> None:
    path = with_edit_list(film(tmp_path / "cut.mp4", group=5), skipped=0.72, left_off=0.6)
    flash, click, facts, streams = seen_and_heard(path)
    assert flash == pytest.approx(FLASH - 0.72, abs=0.001)
    assert click == pytest.approx(FLASH - 0.72, abs=0.025)
    assert len(facts["frame_times"]) == len(streams["frames"]) == pytest.approx(17, abs=1)


@pytest.mark.parametrize("name", ["plain.mp4", "uneven.mkv", "sound-late.mkv", "gap.mkv", "cd.mp4"])
def test_windows_are_the_whole_in_pieces(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name, **CASES[name])
    [(whole_facts, whole)] = windows(path, "audio-visual", STORE)
    pieces = list(windows(path, "audio-visual", STORE.model_copy(update={"window_seconds": 0.3})))
    assert [facts["start"] for facts, _ in pieces] == pytest.approx(0.3 * np.arange(7))
    assert [time for facts, _ in pieces for time in facts["frame_times"]] == whole_facts["frame_times"]
    for stream in ("frames", "sound"):
        np.testing.assert_array_equal(np.concatenate([streams[stream] for _, streams in pieces]), whole[stream])
    for facts, streams in pieces[:-1]:
        assert len(streams["spectrogram"]) == 60
        assert all(facts["start"] <= time < facts["start"] + 0.3 for time in facts["frame_times"])


@pytest.mark.parametrize("rate", [8000, 44000, 48000])
def test_sound_is_resampled_in_time(tmp_path: Path, rate: int) -> None:
    store = STORE.model_copy(update={"sample_rate": rate})
    _, click, _, streams = seen_and_heard(film(tmp_path / "film.mkv", rate=44100), store)
    assert click == pytest.approx(FLASH, abs=0.003)
    assert len(streams["sound"]) == pytest.approx(2 * rate, abs=0.05 * rate)
