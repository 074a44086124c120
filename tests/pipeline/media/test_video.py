"""Pictures of films are those of the file, each at its time, upright; held against decord, another decoder."""

import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipeline.media import seeking
from pipeline.media.crops import cut_stills
from pipeline.media.kinds import kind_of
from pipeline.media.seeking import sought
from pipeline.media.survey import opened, survey
from pipeline.media.unusable import Unusable
from pipeline.media.video import Video, open_video
from tests.pipeline.media.films import EVEN, UNEVEN, film, turned, with_edit_list, with_empty_picture, with_told_size

CASES: dict[str, dict[str, Any]] = {
    "film.mp4": {},
    "film.mkv": {"times": UNEVEN},
    "film.mov": {"video": "mpeg4", "audio": "pcm_s16le"},
    "film.webm": {"video": "libvpx-vp9", "audio": None},
    "late.mp4": {"times": EVEN[EVEN >= 0.4799]},
}


needs_decord = pytest.mark.skipif(seeking.decord() is None, reason="decord has no wheels for this machine")


def by_decord(path: Path) -> np.ndarray:
    library = seeking.decord()
    assert library is not None
    reader = library.VideoReader(str(path), num_threads=1)
    return reader.get_batch(range(len(reader))).asnumpy()


@needs_decord
@pytest.mark.parametrize("name", CASES)
def test_frames_are_decords_to_the_bit(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name, **CASES[name])
    video = open_video(path)
    decoded = np.stack(list(video.decoded(np.arange(len(video.times)))))
    np.testing.assert_array_equal(decoded, by_decord(path))
    assert (video.width, video.height) == decoded.shape[2:0:-1]


@needs_decord
@pytest.mark.parametrize("name", CASES)
def test_frames_that_are_sought_are_the_same(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name, **CASES[name])
    kind, numbers = kind_of(path), np.array([0, 3, 11, 12])
    container = opened(path, kind)
    pictures = survey(container, kind, 10**6).pictures
    assert pictures is not None
    found = sought(path, kind, pictures, numbers)
    assert found is not None
    every = list(Video(container, kind, pictures, 10**6).decoded(np.arange(len(pictures.times))))
    np.testing.assert_array_equal(np.stack(list(found)), np.stack(every)[numbers])


class Store:
    """What is kept of a still."""

    side, max_pixels = 32, 10**6


@needs_decord
@pytest.mark.parametrize("name", CASES)
def test_stills_are_the_same_without_decord(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / name, **CASES[name])
    stills = [{"frame": frame, "box": (4, 8, 40, 48)} for frame in (11, 0, 3, 12, 3)]
    with_it = list(cut_stills(path, stills, Store()))
    monkeypatch.setattr(seeking, "decord", lambda: None)
    without = list(cut_stills(path, stills, Store()))
    assert [facts for facts, _ in without] == [facts for facts, _ in with_it]
    for (_, one), (_, other) in zip(without, with_it, strict=True):
        np.testing.assert_array_equal(one["frames"], other["frames"])


def test_a_machine_without_decord_does_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "decord", None)
    assert seeking.decord.__wrapped__() is None
    monkeypatch.setattr(seeking, "decord", seeking.decord.__wrapped__)
    (window,) = cut_stills(film(tmp_path / "film.mp4"), [{"frame": 3, "box": (4, 8, 40, 48)}], Store())
    assert window[1]["frames"].shape == (1, 32, 32, 3)


def test_what_decord_counts_otherwise_is_not_sought(tmp_path: Path) -> None:
    for path in (film(tmp_path / "film.ts"), with_edit_list(film(tmp_path / "film.mp4"), 0.4)):
        kind = kind_of(path)
        pictures = survey(opened(path, kind), kind, 10**6).pictures
        assert pictures is not None
        assert sought(path, kind, pictures, np.array([0])) is None


def test_some_frames_are_those_of_all(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4")
    every = list(open_video(path).decoded(np.arange(50)))
    some = open_video(path)
    for numbers in ([0, 3], [4, 5, 30], [49]):
        for number, frame in zip(numbers, some.decoded(np.array(numbers)), strict=True):
            np.testing.assert_array_equal(frame, every[number])
    with pytest.raises(Unusable, match="breaks off after 50 of its 50 frames"):
        list(some.decoded(np.array([50])))


def test_frames_that_lie_on_their_side_are_turned_upright(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", audio=None, size=(96, 64))
    lying = np.stack(list(open_video(path).decoded(np.arange(50))))
    video = open_video(turned(path))
    upright = np.stack(list(video.decoded(np.arange(50))))
    np.testing.assert_array_equal(upright, np.rot90(lying, -1, axes=(1, 2)))
    if seeking.decord():
        np.testing.assert_array_equal(upright, by_decord(path))
    assert (video.width, video.height) == (64, 96)
    assert video.frames(np.arange(50, 50), 32).shape == (0, 32, 32, 3)


def test_a_header_that_tells_a_smaller_size_opens_no_larger_picture(tmp_path: Path) -> None:
    path = with_told_size(film(tmp_path / "film.mp4", size=256), 16)
    kind = kind_of(path)
    assert open_video(path).width == 256
    for limit, refused in ((256 * 256, False), (100 * 100, True)):
        container = opened(path, kind)
        pictures = survey(container, kind, limit).pictures
        assert pictures is not None
        if refused:
            with pytest.raises(av.FFmpegError):
                Video(container, kind, pictures, limit)
        else:
            assert Video(container, kind, pictures, limit).height == 256


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_a_frame_that_is_lost_in_the_middle_is_missed(tmp_path: Path, name: str) -> None:
    video = open_video(with_empty_picture(tmp_path / name, 7))
    assert len(list(video.decoded(np.arange(7)))) == 7
    with pytest.raises(Unusable, match=r"shows no frame at 0\.280 s, where its container says that there is one"):
        list(video.decoded(np.arange(7, 20)))
