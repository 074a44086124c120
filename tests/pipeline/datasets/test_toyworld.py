"""toyworld: the same seed gives the same bytes, files hold what is stated, sound and movement go together."""

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from pipeline.cards import read_card
from pipeline.datasets import DATASETS
from pipeline.datasets.toyworld import ACTIONS, CLASSES, FAMILIES, Clip, Toyworld, motion
from pipeline.datasets.toyworld.objects import DRAWINGS
from pipeline.datasets.toyworld.timbre import HELD, VOICES
from pipeline.figures.contact_sheet import contact_sheet
from pipeline.figures.strip import Strip
from selfsup.class_path import load

pytestmark = pytest.mark.slow

SMALL = Toyworld(
    seed=3, clips={"train": 3, "validation": 1, "test": 1}, seconds=1.0, fps=12.5, side=64, sample_rate=48000, hard=0.5
)
FULL = Toyworld(seed=4, clips={"train": 30}, seconds=2.0, fps=12.5, side=96, sample_rate=48000, hard=0.25)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    folder = tmp_path_factory.mktemp("toyworld")
    return folder, list(SMALL.make(folder, workers=2))


@pytest.fixture(scope="module")
def rendered() -> list[Clip]:
    return [FULL.render("train", number) for number in range(20)]


def test_the_registry_and_the_card_agree_with_the_code() -> None:
    assert load(DATASETS["toyworld"]) is Toyworld
    card = read_card("toyworld")
    assert card.kind == "rendered"
    assert card.modality == "audio-visual"
    assert card.splits == ["train", "validation", "test"]
    assert {name: tuple(label.classes) for name, label in card.labels.items()} == {
        "object": CLASSES,
        "action": ACTIONS,
        "sounding": CLASSES,
    }
    assert set(DRAWINGS) == set(VOICES) == set(CLASSES) > HELD
    assert len(set(CLASSES)) == sum(map(len, FAMILIES.values())) == 10


def test_rows_come_in_order_and_name_whole_files(made: tuple[Path, Rows]) -> None:
    folder, rows = made
    assert [row["id"] for row in rows] == [
        *(f"toyworld/train/{number:06d}" for number in range(3)),
        "toyworld/validation/000000",
        "toyworld/test/000000",
    ]
    assert set(rows[0]) == {"id", "split", "path", "label_action", "label_object", "label_sounding", "annotations"}
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == sorted(
        row["path"] for row in rows
    )


def listed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its annotations as bytes: as numbers, those that are not seen would be unequal to themselves."""
    return {**row, "annotations": {name: one.serialize().to_pybytes() for name, one in row["annotations"].items()}}


def test_same_seed_same_bytes_whatever_the_number_of_workers(made: tuple[Path, Rows], tmp_path: Path) -> None:
    folder, rows = made
    assert [listed(row) for row in SMALL.make(tmp_path, workers=1)] == [listed(row) for row in rows]
    contents = [(folder / row["path"]).read_bytes() for row in rows]
    assert [(tmp_path / row["path"]).read_bytes() for row in rows] == contents
    assert len(set(contents)) == len(rows)


def test_no_two_random_streams_are_the_same() -> None:
    """A clip's own streams, those of other splits, and those that order the labels."""
    worlds = [SMALL, Toyworld(4, SMALL.clips, 1.0, 12.5, 64, 48000, 0.5)]
    clips = [world.render(split, number) for world in worlds for split in world.clips for number in (0, 1)]
    for one, other in combinations(clips, 2):
        assert not np.array_equal(one.picture.frames, other.picture.frames)
        assert abs(np.corrcoef(one.sound, other.sound)[0, 1]) < 0.5
        assert not {thing.degrees for thing in one.picture.things if thing.degrees} & {
            thing.degrees for thing in other.picture.things
        }


def test_classes_and_actions_are_balanced_independent_and_in_no_fixed_order() -> None:
    orders = []
    for split in ("train", "validation", "test"):
        labels = [FULL.labels(split, number) for number in range(50)]
        for place in (0, 1):
            one = [pair[place] for pair in labels]
            assert set(Counter(one).values()) == {5}
            orders += [tuple(one[start : start + 10]) for start in range(0, 50, 10)]
    assert len(set(orders)) == len(orders)
    together = Counter(FULL.labels("train", number) for number in range(5000))
    assert len(together) == 100
    # Of 50 expected each.
    assert sum((count - 50) ** 2 / 50 for count in together.values()) < 150


def test_files_decode_to_the_stated_picture_and_sound(made: tuple[Path, Rows]) -> None:
    folder, rows = made
    for row in rows:
        clip = SMALL.render(row["split"], int(row["id"].rpartition("/")[2]))
        with av.open(str(folder / row["path"])) as container:
            film = container.streams.video[0]
            assert (film.frames, film.average_rate) == (SMALL.frames, 12.5) == (12, 12.5)
            decoded = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(film)])
        assert decoded.shape == (12, 64, 64, 3)
        assert np.abs(decoded.astype(float) - clip.picture.frames).mean() < 12
        with av.open(str(folder / row["path"])) as container:
            track = container.streams.audio[0]
            assert (track.rate, track.channels) == (48000, 1)
            assert track.duration is not None
            assert track.time_base is not None
            assert float(track.duration * track.time_base) == pytest.approx(12 / 12.5, abs=1e-3)
            blocks = list(container.decode(track))
        assert blocks[0].pts == 0
        wave = np.concatenate([block.to_ndarray()[0] for block in blocks])
        assert SMALL.samples == 46080 <= len(wave) < 46080 + 1024
        lags = range(-40, 41)
        inner = wave[2000:40000]
        likeness = [float(inner @ clip.sound[2000 + lag : 40000 + lag]) for lag in lags]
        assert lags[int(np.argmax(likeness))] == 0


def test_nothing_in_the_container_tells_when_it_was_made(made: tuple[Path, Rows]) -> None:
    folder, rows = made
    content = (folder / rows[0]["path"]).read_bytes()
    assert b"Lavf" not in content
    assert b"Lavc" not in content
    with av.open(str(folder / rows[0]["path"])) as container:
        assert "creation_time" not in container.metadata


def test_the_sounding_object_is_struck_at_the_onsets_and_at_no_other_time() -> None:
    """Known from its poses, 50 a second: between strokes its swing is damped, so that each place follows from the two
    before by one rule throughout the clip. It breaks where a stroke sets in, and nowhere else."""
    world = Toyworld(seed=4, clips={}, seconds=2.0, fps=50, side=32, sample_rate=48000, hard=0.25)
    times = np.arange(world.frames) / world.fps
    for split, number in [("train", number) for number in range(15)] + [("test", number) for number in range(5)]:
        clip = world.render(split, number)
        swing = _swing(clip)
        two_before = np.stack([swing[1:-1], swing[:-2], np.ones(len(swing) - 2)], axis=1)
        struck = ((clip.onsets > times[:-2, None]) & (clip.onsets <= times[2:, None])).any(axis=1)
        rule = np.linalg.lstsq(two_before[~struck], swing[2:][~struck], rcond=None)[0]
        breaks = np.abs(swing[2:] - two_before @ rule) / np.ptp(swing)
        assert breaks[~struck].max() < 1e-9, (split, number)
        assert breaks[struck].min() > 1e-6, (split, number)


def _swing(clip: Clip) -> NDArray[np.float64]:
    """(T,) how far the sounding object is along the one way on which its place, angle and size move in the scene."""
    picture = clip.picture
    [thing] = [at for at, one in enumerate(picture.things) if one.sounding]
    [layer] = np.flatnonzero(picture.owners == thing)
    pose = np.linalg.inv(squares(picture.poses[0])) @ squares(picture.poses[layer])
    turn, size = np.arctan2(pose[:, 1, 0], pose[:, 0, 0]), np.hypot(pose[:, 0, 0], pose[:, 1, 0])
    state = np.stack([pose[:, 0, 2], pose[:, 1, 2], turn, size], axis=1)
    along, lengths, _ = np.linalg.svd(state - state.mean(axis=0), full_matrices=False)
    assert lengths[1] < 1e-9 * lengths[0]
    return along[:, 0]


def test_sound_sets_in_within_a_frame_of_movement() -> None:
    """Measured in the pixels and in the samples, without looking at the facts but for the camera and where the main
    object stands."""
    quiet = [FULL.render("train", number) for number in range(400) if _starts_quietly(number)][:40]
    assert len(quiet) == 40
    apart = np.array([_first_movement(clip) / FULL.fps - _first_sound(clip) for clip in quiet])
    # The frame that first shows a movement is the first after it began: up to one frame late. Where noise hides the
    # first stroke, the second is found, and where the actor or smoke passes before the object, that is; a click among
    # the other sounds may come before either: in 6 of 40.
    assert np.mean(np.abs(apart - 0.5 / FULL.fps) <= 1 / FULL.fps) >= 0.8, apart.round(3)


def _starts_quietly(number: int) -> bool:
    """Whether no stroke comes shortly before a clip or at its very start."""
    rng = np.random.default_rng([FULL.seed, 1, number]).spawn(3)[0]
    onsets = motion.strokes(2.0, rng).onsets
    return not ((onsets > -0.5) & (onsets < 0.15)).any()


def _first_movement(clip: Clip) -> int:
    """The first frame in which the main object has moved in the scene, the camera's movement undone."""
    picture, main = clip.picture, main_of(clip)
    steady = []
    for pixels, camera in zip(picture.frames, picture.camera, strict=True):
        centred = camera.astype(np.float64)
        centred[:, 2] -= camera[:, :2] @ np.full(2, (FULL.side - 1) / 2)
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        steady.append(cv2.warpAffine(grey, centred, (FULL.side,) * 2, flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR))
    left, top, right, bottom = np.round(picture.boxes[0, main]).astype(int)
    inner = np.stack(steady)[:, max(top, 9) : min(bottom, 87), max(left, 9) : min(right, 87)]
    inner = inner / inner.mean(axis=(1, 2), keepdims=True)
    change = np.abs(inner - inner[0]).mean(axis=(1, 2))
    return int(np.argmax(change > 1.7 * change[1] + 0.012))


def main_of(clip: Clip) -> int:
    """The main object's number."""
    return next(place for place, thing in enumerate(clip.picture.things) if thing.role == "main")


def _first_sound(clip: Clip) -> float:
    """Seconds until some bands first stand well above what they were in the tenth of a second before."""
    hop, before, between = 240, 20, 4  # samples; windows that are averaged, and that lie between them and the one
    windows = np.lib.stride_tricks.sliding_window_view(clip.sound, 960)[::hop] * np.hanning(960)
    power: NDArray[np.floating] = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    floor = np.lib.stride_tricks.sliding_window_view(power, before, axis=0).mean(axis=2)[: -between - 1]
    loud = (power[before + between :] > 14 * floor).sum(axis=1)
    return float((np.argmax(loud >= 4) + before + between) * hop / 48000) + 0.01  # the window's middle


def test_the_camera_does_not_tell_the_order_of_frames() -> None:
    """To a classifier that knows the camera of every frame exactly: c lies between b and d in time, a and e do not. It
    is right of 54 %; of a camera that swung three times as far and hardly trembled it was of 90 %."""
    rng = np.random.default_rng(0)
    shown, in_order = [], []
    times = np.arange(25) / FULL.fps
    for _ in range(5000):
        matrices = motion.camera(times, FULL.side, rng)
        for _ in range(4):
            b = int(rng.integers(2, 19))
            d = b + int(rng.integers(2, min(9, 23 - b)))
            positive = bool(rng.random() < 0.5)
            outside = rng.integers(0, b - 1) if rng.random() < 0.5 else rng.integers(d + 2, 25)
            first, middle, last = matrices[[b, int(rng.integers(b + 1, d)) if positive else int(outside), d]]
            apart = [np.abs(one - other).ravel() for one, other in ((first, middle), (middle, last), (first, last))]
            shown.append(np.concatenate([*apart, np.abs(middle - (first + last) / 2).ravel()]))
            in_order.append(positive)
    known, asked = slice(15000), slice(15000, None)
    classifier = HistGradientBoostingClassifier(random_state=0).fit(shown[known], in_order[known])
    assert classifier.score(shown[asked], in_order[asked]) < 0.56


def test_clips_are_what_they_are_said_to_be(rendered: list[Clip]) -> None:
    for clip in rendered:
        picture, main = clip.picture, main_of(clip)
        assert picture.frames.shape == (25, 96, 96, 3)
        assert picture.frames.dtype == np.uint8
        assert clip.sound.shape == (96000,)
        assert clip.sound.dtype == np.float32
        assert np.sqrt(np.mean(clip.sound**2)) > 0.01
        assert np.abs(clip.sound).max() <= 0.95
        roles = Counter(thing.role for thing in picture.things)
        assert roles["main"] == roles["actor"] == 1
        assert roles["other"] <= 3
        assert all(abs(thing.degrees) <= 25 for thing in picture.things)
        assert picture.things[main].label == clip.labels["object"] == clip.labels["sounding"]
        assert [thing.label for thing in picture.things if thing.sounding] == [clip.labels["object"]]
        assert np.all(np.diff(clip.onsets) > 0)
        assert 0 < clip.onsets[0] < clip.onsets[-1] < 2


def test_actor_and_main_object_are_large_whole_and_apart() -> None:
    clips = [FULL.render("train", number) for number in range(100, 140)]
    main = np.array([main_of(clip) for clip in clips])
    actor = [next(at for at, thing in enumerate(clip.picture.things) if thing.role == "actor") for clip in clips]
    bodies = [clip.picture.boxes[:, at] for clip, at in zip(clips, actor, strict=True)]
    heights = np.array([np.nanmax(box[:, 3] - box[:, 1]) for box in bodies])
    assert np.mean((heights >= 96 / 3) & (heights <= 96 * 2 / 3)) > 0.95
    boxes = np.stack([np.nanmean(clip.picture.boxes[:, at], axis=0) for clip, at in zip(clips, main, strict=True)])
    heights = (boxes[:, 3] - boxes[:, 1]) / 96
    assert np.mean((heights >= 0.4) & (heights <= 0.65)) > 0.8
    for places in (actor, main):
        seen = np.array([clip.picture.visible[:, at].mean() for clip, at in zip(clips, places, strict=True)])
        assert seen.mean() > 0.93
        assert np.mean(seen > 0.8) > 0.9
    classes = [{thing.label for thing in clip.picture.things} & set(CLASSES) for clip in clips]
    assert np.mean([len(one) <= 2 for one in classes]) > 0.7


def test_only_test_clips_are_hard_and_show_a_still_silent_double() -> None:
    world = Toyworld(seed=4, clips={}, seconds=1.0, fps=12.5, side=96, sample_rate=48000, hard=0.25)
    assert not any(world.render(split, number).hard for split in ("train", "validation") for number in range(12))
    clips = [world.render("test", number) for number in range(30)]
    assert 2 <= sum(clip.hard for clip in clips) <= 18
    for clip in clips:
        twins = [at for at, thing in enumerate(clip.picture.things) if thing.role == "twin"]
        assert len(twins) == clip.hard
        for at in twins:
            assert clip.picture.things[at].label == clip.labels["object"]
            assert not clip.picture.things[at].sounding
            poses = clip.picture.poses[int(np.flatnonzero(clip.picture.owners == at)[0])]
            still = np.linalg.inv(squares(clip.picture.camera)) @ squares(poses)
            assert np.ptp(still, axis=0).max() < 1e-3


def squares(matrices: NDArray[Any]) -> NDArray[np.float64]:
    """(T, 2, 3) affine maps as (T, 3, 3)."""
    return np.concatenate([matrices, np.tile([[[0.0, 0.0, 1.0]]], (len(matrices), 1, 1))], axis=1)


@pytest.mark.parametrize(
    ("key", "value"), [("side", 65), ("sample_rate", 44000), ("seconds", 0.1), ("clips", {"trian": 1})]
)
def test_settings_that_cannot_be_are_refused(key: str, value: object) -> None:
    settings: dict[str, object] = {
        "seed": 0, "clips": {}, "seconds": 1.0, "fps": 12.5, "side": 64, "sample_rate": 48000, "hard": 0.25, key: value,
    }  # fmt: skip
    with pytest.raises(ValueError, match=key):
        Toyworld(**settings)  # type: ignore[arg-type]


def test_a_contact_sheet_is_small_and_the_same_twice(rendered: list[Clip], tmp_path: Path) -> None:
    strips = [
        Strip(clip.labels["object"], clip.labels["action"], clip.picture.frames, clip.sound, 48000)
        for clip in rendered[:4]
    ]
    for name in ("one.png", "two.png"):
        contact_sheet(strips, tmp_path / name)
    content = (tmp_path / "one.png").read_bytes()
    assert content == (tmp_path / "two.png").read_bytes()
    assert 10_000 < len(content) < 200_000
    assert b"matplotlib" not in content
    assert b"Software" not in content
