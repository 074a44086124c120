"""Which stills are cut out of a clip: frames in which its main object is seen well, and a square box around it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from zlib import crc32

import numpy as np

Box = tuple[int, int, int, int]
"""left, top, right, bottom, in pixels of the file's frame."""


@dataclass(frozen=True)
class Seen:
    """A clip's main object. frames: (N,) their numbers; boxes: (N, 4) px, left, top, right, bottom, nan where it is not
    seen; visible: (N,) share of its own area that is inside the frame and not covered; size: px of the frame, width
    and height."""

    label: str
    size: tuple[int, int]
    frames: np.ndarray
    boxes: np.ndarray
    visible: np.ndarray


@dataclass(frozen=True)
class Still:
    """Where a still is cut out of its clip."""

    frame: int
    box: Box


@dataclass(frozen=True)
class Crops:
    """per_clip: stills of a clip. visible: share of the object that has to be seen. around: side of the box, over the
    object's larger one, from and to, as far as the frame has room. jitter: how far the object may be off the box's
    middle, of the room that it has in it, before the box is moved into the frame. clips_per_shard: clips whose stills
    make a shard. Raises ValueError for a range that ends before it starts.
    """

    ranges: ClassVar = {
        "seed": (0, 4294967295),
        "per_clip": (1, 1000),
        "visible": (0, 1),
        "around": (1, 10),
        "jitter": (0, 1),
        "clips_per_shard": (1, 10_000_000),
    }

    seed: int
    per_clip: int
    visible: float
    around: tuple[float, float]
    jitter: float
    clips_per_shard: int

    def __post_init__(self) -> None:
        if self.around[0] > self.around[1]:
            raise ValueError(f"around: expected the smaller end first, found {list(self.around)}")

    def choose(self, clip: str, seen: Seen) -> list[Still]:
        """`per_clip` stills as far apart as can be, the same whichever clips there are beside it: of a clip with fewer
        good frames some are cut twice, differently; of one without any there are none."""
        good = np.flatnonzero((seen.visible >= self.visible) & np.isfinite(seen.boxes).all(axis=1))
        good = good[np.argsort(seen.frames[good], kind="stable")]
        if not len(good):
            return []
        rng = np.random.default_rng([self.seed, crc32(clip.encode())])
        # One phase for all: they are then a whole `per_clip`-th of the good frames apart.
        phase = rng.random()
        places = ((np.arange(self.per_clip) + phase) * len(good) / self.per_clip).astype(int)
        chosen = good[np.minimum(places, len(good) - 1)]
        return [Still(int(seen.frames[one]), self._box(seen.boxes[one], seen.size, rng)) for one in chosen]

    def _box(self, box: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> Box:
        left, top, right, bottom = (float(end) for end in box)
        larger = max(right - left, bottom - top)
        side = min(max(1, round(rng.uniform(*self.around) * larger)), *size)
        off = rng.uniform(-1, 1, 2) * self.jitter * max(0, side - larger) / 2
        middle = np.array([left + right, top + bottom]) / 2 + off
        # Whole pixels: a still is cut, never resampled twice.
        x, y = np.clip(np.round(middle - side / 2), 0, np.array(size) - side).astype(int).tolist()
        return x, y, x + side, y + side


def still_ids(dataset: str, clip: str, per_clip: int) -> Iterator[str]:
    """clip: DATASET/SPLIT/NAME -> the ids of its stills in another dataset, which tell it: DATASET/SPLIT/NAME-K."""
    for number in range(per_clip):
        yield f"{dataset}/{clip.partition('/')[2]}-{number}"
