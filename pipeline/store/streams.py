"""The streams that a shard can hold: what one step of each is, and how many steps make a second."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

PICTURES = ("frames", "flow", "motion")
SOUNDS = ("sound", "spectrogram")
OF_MODALITY = {"image": ("frames",), "video": PICTURES, "audio": SOUNDS, "audio-visual": PICTURES + SOUNDS}
"""The streams that files of a modality can give."""

SPECTROGRAM_RATE = 200
SPECTROGRAM_BINS = 257
SPECTROGRAM_FLOOR = 1e-5
"""Magnitude that is added before the logarithm is taken: silence."""
SPECTROGRAM_UNIT = 1 / 15
"""Of the log magnitude, 0.58 dB: uint8 reaches from the floor's logarithm, -11.5, to +5.5, more than a full-scale sine
has in a window of 480 samples (log 120 = 4.8)."""
FLOW_UNIT = 1 / 8
"""px of the flow's own grid, which is half the frames': int8 reaches +-15.9 px, a quarter of a picture of 64."""


@dataclass(frozen=True)
class Stream:
    """What is kept of a stream: dtype and shape of one step; `rate` in steps a second, or None where steps have times
    of their own (frames). jpeg: quality, 1 to 100, of pictures that are kept as JPEG, or None. unit: where whole
    numbers stand for `origin + unit * number`, which is read as float32, or None."""

    dtype: str
    shape: tuple[int, ...]
    rate: float | None
    jpeg: int | None = None
    unit: float | None = None
    origin: float = 0.0

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Stream":
        return cls(**{**value, "shape": tuple(value["shape"])})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def size(self) -> int:
        """Elements of one step."""
        return int(np.prod(self.shape, dtype=np.int64))

    def empty(self) -> np.ndarray:
        """(0, *shape): what a source without this stream has of it."""
        return np.empty((0, *self.shape), self.dtype)

    def quantised(self, values: np.ndarray) -> np.ndarray:
        """Values -> the nearest numbers that can be kept; what lies beyond them becomes the outermost."""
        assert self.unit is not None
        limits = np.iinfo(self.dtype)
        numbers = values - self.origin
        numbers /= self.unit
        np.rint(numbers, out=numbers)
        return np.clip(numbers, limits.min, limits.max, out=numbers).astype(self.dtype)

    def restored(self, kept: np.ndarray) -> np.ndarray:
        """What `quantised` has made -> float32 values, half a unit off at most; of a stream without unit, itself."""
        return kept if self.unit is None else np.float32(self.unit) * kept + np.float32(self.origin)


def stream(name: str, side: int, sample_rate: int, jpeg: int | None = None) -> Stream:
    """The stream of that name for a store of pictures of `side` px, kept as JPEG of that quality or as they are, and
    sound of `sample_rate` Hz.

    flow: (dx, dy) of each frame since the one before, px of its own grid; motion: see `pipeline.media.flow.motion`.
    """
    return {
        "frames": Stream("uint8", (side, side, 3), None, jpeg),
        "flow": Stream("int8", (side // 2, side // 2, 2), None, unit=FLOW_UNIT),
        "motion": Stream("float32", (), None),
        "sound": Stream("int16", (), float(sample_rate)),
        "spectrogram": Stream(
            "uint8",
            (SPECTROGRAM_BINS,),
            float(SPECTROGRAM_RATE),
            unit=SPECTROGRAM_UNIT,
            origin=math.log(SPECTROGRAM_FLOOR),
        ),
    }[name]


def streams_of(modality: str, kept: Iterable[str]) -> list[str]:
    """Those of the streams that a store keeps that files of a modality can give, in the store's order."""
    return [name for name in kept if name in OF_MODALITY[modality]]
