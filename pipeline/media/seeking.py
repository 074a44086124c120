"""A few frames out of a film, by decord: it goes to the key frame before each, and decodes on from there."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

# Before decord, which offers its old codecs to every library that is loaded after it: PyAV's then refuse to work.
import av  # noqa: F401
import numpy as np

from pipeline.media.kinds import Kind
from pipeline.media.survey import Pictures

INDEXED = ("mov", "matroska")
"""Containers that decord indexes rightly; of MPEG-TS with reordered frames it repeats some in the place of others."""
NONE_REPEATED = 1e-9
"""Share of the frames that decord may replace by their neighbours where it fails to decode them; it says nothing."""


@cache
def decord() -> Any | None:
    """The library; None on machines for which it has no wheels: anything but x86-64 with Linux or Windows."""
    try:
        import decord as library
    except ImportError:
        return None
    library.logging.set_level(library.logging.QUIET)
    return library


def sought(path: Path, kind: Kind, pictures: Pictures, numbers: np.ndarray) -> Iterator[np.ndarray] | None:
    """numbers: of frames, ascending. Each (H, W, 3) uint8 RGB, the same bits as `Video.decoded`; None without decord,
    and for a film of which it has no index, or one that disagrees with the container's (edit lists, other codecs)."""
    library = decord() if kind.demuxer in INDEXED else None
    if library is None:
        return None
    try:
        reader = library.VideoReader(str(path), num_threads=1, fault_tol=NONE_REPEATED)
    except (library.DECORDError, RuntimeError, AssertionError):
        return None
    if len(reader) != len(pictures.times):
        return None
    return (reader[int(number)].asnumpy() for number in numbers)
