"""toyworld: short videos with sound of ten musical instruments, rendered from a seed as H.264 and AAC files.

Everything about a clip comes from `numpy.random.default_rng([seed, split, number])`: it can be rendered alone, and
no instance, background or timbre of one clip is that of another, in its split or any other.
"""

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

from pipeline.datasets.toyworld import encode, motion, scene, sound
from pipeline.datasets.toyworld.classes import CLASSES, FAMILIES

__all__ = ["CLASSES", "FAMILIES", "Clip", "Facts", "Toyworld"]

_STREAM = {"train": 1, "validation": 2, "test": 3}
# numpy pads a seed with zeros, so a stream beside a clip's own must end in something else than 0.
_LABELS = 1


@dataclass(frozen=True)
class Facts:
    """What is known exactly about a clip. onsets: (N,) seconds; main and others: the objects with a box a frame;
    camera: (T, 2, 3), see scene.Picture."""

    split: str
    number: int
    label_object: str
    label_sounding: str
    onsets: NDArray[np.float64]
    main: scene.Placed
    others: tuple[scene.Placed, ...]
    camera: NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """frames: (T, side, side, 3) uint8 RGB; sound: (S,) float32 within -1 to 1, mono."""

    frames: NDArray[np.uint8]
    sound: NDArray[np.float32]
    facts: Facts


@dataclass(frozen=True)
class Toyworld:
    """clips: how many in each of train, validation, test; seconds: of each clip, rounded to whole frames; side: of the
    square frames, in pixels, even; sample_rate: of the sound, in hertz.

    Raises ValueError for a size that the codecs do not take or an unknown split.
    """

    ranges: ClassVar = {
        "clips": (0, 10_000_000),
        "seconds": (0.5, 3600),
        "fps": (1, 240),
        "side": (32, 4096),
        "sample_rate": (8000, 96000),
    }

    seed: int
    clips: dict[str, int]
    seconds: float
    fps: float
    side: int
    sample_rate: int

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

    def label(self, split: str, number: int) -> str:
        """The class of a clip: each run of ten clips has every class once, in an order drawn anew."""
        cycle, place = divmod(number, len(CLASSES))
        order = np.random.default_rng([self.seed, _STREAM[split], cycle, _LABELS]).permutation(len(CLASSES))
        return CLASSES[int(order[place])]

    def render(self, split: str, number: int) -> Clip:
        """One clip, the same whoever asks and in whatever order."""
        # Streams of their own: a change to the sound leaves every picture as it was.
        for_strokes, for_picture, for_sound = np.random.default_rng([self.seed, _STREAM[split], number]).spawn(3)
        label = self.label(split, number)
        seconds = self.samples / self.sample_rate
        strokes = motion.strokes(seconds, for_strokes)
        times = np.arange(self.frames) / self.fps
        picture = scene.shoot(label, strokes, times, self.side, for_picture)
        wave = sound.record(label, strokes, seconds, self.sample_rate, for_sound)
        facts = Facts(
            split=split,
            number=number,
            label_object=label,
            label_sounding=label,
            onsets=strokes.onsets,
            main=picture.main,
            others=picture.others,
            camera=picture.camera,
        )
        return Clip(picture.frames, wave, facts)

    def make(self, destination: Path, workers: int) -> Iterator[dict[str, Any]]:
        """Renders every clip to destination/SPLIT/NNNNNN.mp4; yields id, split, path (relative to destination),
        label_object and label_sounding of each when its file is whole, in order of split and number."""
        for split in self.clips:
            (destination / split).mkdir(parents=True, exist_ok=True)
        jobs = [(split, number) for split in _STREAM for number in range(self.clips.get(split, 0))]
        # Spawned, not forked: the caller may have threads (torch's, Arrow's), and a lock held at a fork stays held.
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=cv2.setNumThreads, initargs=(0,)) as pool:
            try:
                yield from pool.map(partial(_film, self, destination), jobs, chunksize=4)
            finally:
                pool.shutdown(cancel_futures=True)


def _film(world: Toyworld, destination: Path, job: tuple[str, int]) -> dict[str, Any]:
    split, number = job
    name = f"{number:06d}"
    clip = world.render(split, number)
    path = Path(split, f"{name}.mp4")
    encode.write(destination / path, clip.frames, clip.sound, world.fps, world.sample_rate)
    return {
        "id": f"toyworld/{split}/{name}",
        "split": split,
        "path": str(path),
        "label_object": clip.facts.label_object,
        "label_sounding": clip.facts.label_sounding,
    }
