"""A look into files: the types it knows are those that decoding reads, and no file costs more than itself."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from pipeline.datasets.folder.formats import ENDINGS, Medium
from pipeline.media.kinds import KINDS
from pipeline.media.unusable import Unusable
from pipeline.media.windows import windows
from pipeline.user_data import inspect_worker
from pipeline.user_data.inspect_file import Limits, inspect_file
from pipeline.user_data.inspect_worker import inspect_files
from tests.media import image, sound, video
from tests.pipeline.media.films import film
from tests.pipeline.media.test_clock import STORE
from tests.pipeline.user_data.broken import LIMIT_MB, Crashes, Hangs, Swells

MUXERS = {
    "MP4": ("mp4", "libx264", "aac"),
    "Matroska": ("matroska", "libx264", "aac"),
    "AVI": ("avi", "mpeg4", "libmp3lame"),
    "MPEG-TS": ("mpegts", "libx264", "aac"),
    "MPEG": ("mpeg", "libx264", "mp2"),
    "ASF": ("asf", "wmv2", "libmp3lame"),
    "FLV": ("flv", "flv", "aac"),
    "Ogg": ("ogg", "libvpx", "libopus"),
    "YUV4MPEG": ("yuv4mpegpipe", "wrapped_avframe", None),
    "WAV": ("wav", None, "pcm_s16le"),
    "FLAC": ("flac", None, "flac"),
    "MP3": ("mp3", None, "libmp3lame"),
    "AAC": ("adts", None, "aac"),
    "AIFF": ("aiff", None, "pcm_s16be"),
    "AU": ("au", None, "pcm_s16be"),
    "CAF": ("caf", None, "pcm_s16le"),
}
"""FFmpeg's muxer of each type and codecs for it: pictures, sound."""
LIMITS = Limits(STORE.max_pixels, file_seconds=60.0, file_memory_mb=1500)
EVERY = [
    (medium, name, ending) for medium, types in ENDINGS.items() for name, endings in types.items() for ending in endings
]


def whole(path: Path, medium: Medium, name: str) -> Path:
    """A small file of this type."""
    if medium == "image":
        image(path.with_suffix(".png"))
        Image.open(path.with_suffix(".png")).save(path, format=KINDS[name].still)
        return path
    muxer, pictures, sounds = MUXERS[name]
    if path.suffix == ".mp2":
        muxer, sounds = "mp2", "mp2"
    return film(path, pictures if medium == "video" else None, sounds, seconds=2.0, muxer=muxer)


@pytest.mark.parametrize(("medium", "name", "ending"), EVERY, ids=[ending for *_, ending in EVERY])
def test_what_is_taken_can_be_decoded(tmp_path: Path, medium: Medium, name: str, ending: str) -> None:
    path = whole(tmp_path / f"file.{ending}", medium, name)
    facts = inspect_file(path, medium, LIMITS)
    assert facts.problem is None
    assert facts.width == {"image": 40, "video": 64, "audio": 0}[medium]
    [(decoded, _)] = windows(path, medium, STORE)
    assert (decoded["width"] or 0) == facts.width


def test_every_type_has_an_ending_and_a_kind() -> None:
    assert {name for _, name, _ in EVERY} == KINDS.keys()
    assert len({ending for *_, ending in EVERY}) == len(EVERY)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.mp4", b"ffconcat version 1.0\nfile other.mp4\n"),
        ("list.mkv", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n"),
        ("film.mkv", None),
    ],
)
def test_no_format_is_guessed(tmp_path: Path, name: str, content: bytes | None) -> None:
    """A play list would lead into another file."""
    other = video(tmp_path / "other.mp4")
    (tmp_path / name).write_bytes(content or other.read_bytes())
    with pytest.raises(Unusable) as raised:
        next(windows(tmp_path / name, "video", STORE))
    assert inspect_file(tmp_path / name, "video", LIMITS).problem == str(raised.value)


def test_what_is_too_large_to_be_decoded_is_said_in_the_same_words(tmp_path: Path) -> None:
    for path, medium in ((image(tmp_path / "a.png", size=(60, 50)), "image"), (video(tmp_path / "a.mp4"), "video")):
        width = inspect_file(path, medium, LIMITS).width
        few = STORE.model_copy(update={"max_pixels": width})
        with pytest.raises(Unusable, match=rf"more than the {width} of store\.max_pixels") as raised:
            next(windows(path, medium, few))
        assert inspect_file(path, medium, replace(LIMITS, max_pixels=width)).problem == str(raised.value)


def test_a_name_that_is_no_utf8_can_be_opened(tmp_path: Path) -> None:
    content = sound(tmp_path / "a.wav").read_bytes()
    path = tmp_path / os.fsdecode(b"caf\xe9:\n.wav")
    path.write_bytes(content)
    assert inspect_file(path, "audio", LIMITS).problem is None


def test_a_file_that_hangs_or_crashes_its_decoder_costs_itself(tmp_path: Path) -> None:
    good = [image(tmp_path / f"{number}.png", size=(40 + number, 30)) for number in range(3)]
    begun = time.monotonic()
    found = list(
        inspect_files(
            [good[0], Hangs(good[0]), good[1], Crashes(good[0]), good[2]],
            "image",
            workers=2,
            limits=replace(LIMITS, file_seconds=3.0),
        )
    )
    assert [facts.width for facts in found] == [40, 0, 41, 0, 42]
    assert [facts.problem for facts in found] == [
        None,
        "its decoder was silent for 3 s (store.file_seconds)",
        None,
        "its decoder crashed (SIGSEGV)",
        None,
    ]
    assert time.monotonic() - begun < inspect_worker.START_SECONDS


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_memory_is_limited(tmp_path: Path) -> None:
    good = image(tmp_path / "a.png")
    found = inspect_files([Swells(good), good], "image", workers=1, limits=replace(LIMITS, file_memory_mb=LIMIT_MB))
    assert [facts.problem for facts in found] == [f"needs more than the {LIMIT_MB} MB of store.file_memory_mb", None]
