"""The streams that a shard can hold: what one step of each is, and how many steps make a second."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

SPECTROGRAM_RATE = 200
SPECTROGRAM_BINS = 257


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


def stream(name: str, side: int, sample_rate: int) -> Stream:
    """The stream of that name for a store of pictures of `side` px and sound of `sample_rate` Hz."""
    return {
        "frames": Stream("uint8", (side, side, 3), None),
        "sound": Stream("int16", (), float(sample_rate)),
        "spectrogram": Stream("float16", (SPECTROGRAM_BINS,), float(SPECTROGRAM_RATE)),
    }[name]
