"""The streams that a shard can hold: what one step of each is, and how many steps make a second."""

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
FLOW_UNIT = 1 / 8
"""px of the flow's own grid, which is half the frames': int8 reaches +-15.9 px, a quarter of a picture of 64."""


@dataclass(frozen=True)
class Stream:
    """dtype and shape of one step; `rate` in steps a second, or None where steps have times of their own (frames)."""

    dtype: str
    shape: tuple[int, ...]
    rate: float | None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Stream":
        return cls(value["dtype"], tuple(value["shape"]), value["rate"])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def size(self) -> int:
        """Elements of one step."""
        return int(np.prod(self.shape, dtype=np.int64))

    def empty(self) -> np.ndarray:
        """(0, *shape): what a source without this stream has of it."""
        return np.empty((0, *self.shape), self.dtype)


def stream(name: str, side: int, sample_rate: int) -> Stream:
    """The stream of that name for a store of pictures of `side` px and sound of `sample_rate` Hz.

    flow: (dx, dy) of each frame since the one before, in FLOW_UNIT; motion: see `pipeline.media.flow.motion`.
    """
    return {
        "frames": Stream("uint8", (side, side, 3), None),
        "flow": Stream("int8", (side // 2, side // 2, 2), None),
        "motion": Stream("float32", (), None),
        "sound": Stream("int16", (), float(sample_rate)),
        "spectrogram": Stream("float16", (SPECTROGRAM_BINS,), float(SPECTROGRAM_RATE)),
    }[name]


def streams_of(modality: str, kept: Iterable[str]) -> list[str]:
    """Those of the streams that a store keeps that files of a modality can give, in the store's order."""
    return [name for name in kept if name in OF_MODALITY[modality]]
