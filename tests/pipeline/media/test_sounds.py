"""Files of sound alone, in every common container: rows without frames, with the samples that they have."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.media.unusable import Unusable
from pipeline.media.windows import windows
from tests.pipeline.media.films import FLASH, film
from tests.pipeline.media.test_clock import STORE, onset

CODECS = {
    "one.wav": "pcm_s16le",
    "one.flac": "flac",
    "one.mp3": "libmp3lame",
    "one.ogg": "libopus",
    "one.opus": "libopus",
    "one.m4a": "aac",
    "one.mka": "flac",
    "one.aac": "aac",
}


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_sound_is_heard_when_it_sounds(tmp_path: Path, name: str, layout: str) -> None:
    path = film(tmp_path / name, video=None, audio=CODECS[name], layout=layout)
    [(facts, streams)] = windows(path, "audio", STORE)
    # A bare stream of AAC does not tell its encoder's delay.
    late = 1024 / 48000 if name == "one.aac" else 0.0
    assert onset(streams["sound"], 48000) == pytest.approx(FLASH + late, abs=0.003)
    assert len(streams["sound"]) / 48000 == pytest.approx(2.0, abs=0.06)
    assert (facts["frame_times"], facts["width"], facts["height"]) == ([], None, None)
    assert facts["end"] == pytest.approx(len(streams["sound"]) / 48000)
    assert len(streams["frames"]) == len(streams["flow"]) == len(streams["motion"]) == 0
    assert len(streams["spectrogram"]) == len(streams["sound"]) // 240


def test_samples_are_those_of_the_file(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-20000, 20000, 30_000).astype(np.int16)
    for name in ("noise.wav", "noise.flac", "noise.aiff"):
        soundfile.write(tmp_path / name, samples, 48000)
        [(_, streams)] = windows(tmp_path / name, "audio", STORE)
        np.testing.assert_array_equal(streams["sound"], samples)


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_a_film_has_sound_too_and_pictures_alone(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name)
    [(facts, streams)] = windows(path, "audio", STORE)
    assert facts["frame_times"] == []
    assert len(streams["sound"])
    [(facts, streams)] = windows(path, "video", STORE)
    assert len(streams["frames"]) == 50
    assert len(streams["sound"]) == len(streams["spectrogram"]) == 0


def test_a_long_recording_becomes_windows(tmp_path: Path) -> None:
    samples = np.arange(16_000, dtype=np.int16)
    soundfile.write(tmp_path / "long.wav", samples, 8000)
    store = STORE.model_copy(update={"window_seconds": 0.6, "sample_rate": 8000})
    rows = list(windows(tmp_path / "long.wav", "audio", store))
    assert [facts["start"] for facts, _ in rows] == pytest.approx([0.0, 0.6, 1.2, 1.8])
    np.testing.assert_array_equal(np.concatenate([streams["sound"] for _, streams in rows]), samples)


@pytest.mark.parametrize("name", ["cut.wav", "cut.flac", "cut.mp3", "cut.m4a", "cut.mka"])
def test_fewer_samples_than_the_header_says_have_a_reason(tmp_path: Path, name: str) -> None:
    codec = CODECS[name.replace("cut", "one")]
    options = {"movflags": "faststart"} if name.endswith("m4a") else {}
    path = film(tmp_path / name, video=None, audio=codec, options=options)
    content = path.read_bytes()
    path.write_bytes(content[: round(0.7 * len(content))])
    with pytest.raises((Unusable, ValueError)) as raised:
        list(windows(path, "audio", STORE))
    assert any(text in str(raised.value) for text in ("header says", "cut off", "Invalid data"))


@pytest.mark.parametrize(
    ("modality", "video", "audio", "reason"),
    [
        ("audio", "libx264", None, "has no sound"),
        ("audio-visual", "libx264", None, "has no sound"),
        ("audio-visual", None, "aac", "has no pictures"),
        ("video", None, "aac", "has no pictures"),
    ],
)
def test_a_missing_stream_has_a_reason(
    tmp_path: Path, modality: str, video: str | None, audio: str | None, reason: str
) -> None:
    path = film(tmp_path / "film.mp4", video=video, audio=audio)
    with pytest.raises(Unusable, match=reason):
        list(windows(path, modality, STORE))
