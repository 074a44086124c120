"""toyworld: short videos with sound of an actor beside a musical instrument, rendered from a seed as H.264 and AAC.

Everything about a clip comes from `numpy.random.default_rng([seed, split, number])`: it can be rendered alone, and
no instance, background or timbre of one clip is that of another, in its split or any other.
"""

import gc
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld import annotations, encode, motion, scene, sound
from pipeline.datasets.toyworld.classes import CLASSES, FAMILIES
from pipeline.datasets.toyworld.encode import write_clip
from pipeline.datasets.toyworld.figure import ACTIONS
from pipeline.datasets.toyworld.scene import Picture, flow_of
from pipeline.memory import keep_memory

__all__ = ["ACTIONS", "CLASSES", "FAMILIES", "Clip", "Picture", "Toyworld", "flow_of"]

_STREAM = {"train": 1, "validation": 2, "test": 3}
# numpy pads a seed with zeros, so a stream beside a clip's own must end in something else than 0.
_LABELS = 1


@dataclass(frozen=True)
class Clip:
    """picture: frames and all that is known of them; sound: (S,) float32 within -1 to 1, mono; labels: action, object
    and sounding; hard: of the subset with clutter and a silent double; onsets: (N,) seconds
    of the strokes that begin in the clip."""

    picture: Picture
    sound: NDArray[np.float32]
    labels: dict[str, str]
    hard: bool
    onsets: NDArray[np.float64]


@dataclass(frozen=True)
class Toyworld:
    """clips: how many in each of train, validation, test; seconds: of each clip, rounded to whole frames; side: of the
    square frames, in pixels, even; sample_rate: of the sound, in hertz; hard: the share of the test clips that are
    cluttered and show a silent, still double of the main object's class.

    Raises ValueError for a size that the codecs do not take or an unknown split.
    """

    ranges: ClassVar = {
        "clips": (0, 10_000_000),
        "seconds": (0.5, 3600),
        "fps": (1, 240),
        "side": (32, 4096),
        "sample_rate": (8000, 96000),
        "hard": (0, 1),
    }
    annotations: ClassVar = annotations.SCHEMAS

    seed: int
    clips: dict[str, int]
    seconds: float
    fps: float
    side: int
    sample_rate: int
    hard: float

    def __post_init__(self) -> None:
        if unknown := set(self.clips) - set(_STREAM):
            raise ValueError(f"toyworld: clips names {sorted(unknown)}; its splits are {list(_STREAM)}")
        if self.side % 2 or self.side < 32:
            raise ValueError(f"toyworld: side is {self.side}; H.264 in 4:2:0 takes even sides, here at least 32")
        if self.sample_rate not in encode.SAMPLE_RATES:
            raise ValueError(f"toyworld: sample_rate is {self.sample_rate}; AAC takes one of {encode.SAMPLE_RATES}")
        if self.seconds < 0.5 or self.fps <= 0:
            raise ValueError(f"toyworld: seconds is {self.seconds} and fps {self.fps}; at least 0.5 and above 0")

    @property
    def frames(self) -> int:
        """Frames of a clip."""
        return round(self.seconds * self.fps)

    @property
    def samples(self) -> int:
        """Samples of a clip's sound, which lasts exactly as long as its frames."""
        return round(self.frames * self.sample_rate / Fraction(self.fps).limit_denominator(1001))

    def labels(self, split: str, number: int) -> tuple[str, str]:
        """The object's class and the action of a clip: each run of ten clips has every class and every action once, in
        orders drawn anew and apart."""
        cycle, place = divmod(number, len(CLASSES))
        rng = np.random.default_rng([self.seed, _STREAM[split], cycle, _LABELS])
        classes, actions = rng.permutation(len(CLASSES)), rng.permutation(len(ACTIONS))
        return CLASSES[int(classes[place])], ACTIONS[int(actions[place])]

    def render(self, split: str, number: int) -> Clip:
        """One clip, the same whoever asks and in whatever order."""
        # Streams of their own: a change to the sound leaves every picture as it was.
        for_strokes, for_picture, for_sound = np.random.default_rng([self.seed, _STREAM[split], number]).spawn(3)
        label, action = self.labels(split, number)
        seconds = self.samples / self.sample_rate
        strokes = motion.strokes(seconds, for_strokes)
        times = np.arange(self.frames) / self.fps
        hard = split == "test" and bool(for_picture.random() < self.hard)
        picture = scene.shoot(label, action, hard, strokes, times, self.side, for_picture)
        wave = sound.record(label, strokes, seconds, self.sample_rate, for_sound)
        onsets = strokes.onsets[strokes.onsets >= 0]
        return Clip(picture, wave, {"action": action, "object": label, "sounding": label}, hard, onsets)

    def make(self, destination: Path, workers: int) -> Iterator[dict[str, Any]]:
        """Renders every clip to destination/SPLIT/NNNNNN.mp4; yields id, split, path (relative to destination),
        label_action, label_object and label_sounding of each when its file is whole, and `annotations`, its rows of
        each of the tables of that name, in order of split and number."""
        for split in self.clips:
            (destination / split).mkdir(parents=True, exist_ok=True)
        jobs = [(split, number) for split in _STREAM for number in range(self.clips.get(split, 0))]
        # Read by the workers' numpy when it is loaded: with a process a core, more threads would wait for each other.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        # Spawned, not forked: the caller may have threads (torch's, Arrow's), and a lock held at a fork stays held.
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_ready) as pool:
            try:
                yield from pool.map(partial(_film, self, destination), jobs, chunksize=4)
            finally:
                pool.shutdown(cancel_futures=True)


def _ready() -> None:
    """A worker, once it has loaded its modules."""
    cv2.setNumThreads(0)
    keep_memory()
    # What is loaded stays: else it is searched again and again for what may go.
    gc.collect()
    gc.freeze()


def _film(world: Toyworld, destination: Path, job: tuple[str, int]) -> dict[str, Any]:
    split, number = job
    name = f"{number:06d}"
    clip = world.render(split, number)
    path = Path(split, f"{name}.mp4")
    write_clip(destination / path, clip.picture.frames, clip.sound, world.fps, world.sample_rate)
    identity = f"toyworld/{split}/{name}"
    return {
        "id": identity,
        "split": split,
        "path": str(path),
        **{f"label_{label}": value for label, value in clip.labels.items()},
        "annotations": annotations.tables_of(identity, clip.picture, clip.onsets, clip.labels, clip.hard),
    }
