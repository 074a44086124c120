"""A few frames out of a film, by decord: it goes to the key frame before each, and decodes on from there."""

from collections.abc import Iterator
from pathlib import Path

# Before decord, which offers its old codecs to every library that is loaded after it: PyAV's then refuse to work.
import av  # noqa: F401
import decord
import numpy as np

from pipeline.media.kinds import Kind
from pipeline.media.survey import Pictures

INDEXED = ("mov", "matroska")
"""Containers that decord indexes rightly; of MPEG-TS with reordered frames it repeats some in the place of others."""
NONE_REPEATED = 1e-9
"""Share of the frames that decord may replace by their neighbours where it fails to decode them; it says nothing."""

decord.logging.set_level(decord.logging.QUIET)


def sought(path: Path, kind: Kind, pictures: Pictures, numbers: np.ndarray) -> Iterator[np.ndarray] | None:
    """numbers: of frames, ascending. Each (H, W, 3) uint8 RGB, the same bits as `Video.decoded`; None for a film of
    which decord has no index, or one that disagrees with the container's (edit lists, codecs that it does not know)."""
    if kind.demuxer not in INDEXED:
        return None
    try:
        reader = decord.VideoReader(str(path), num_threads=1, fault_tol=NONE_REPEATED)
    except (decord.DECORDError, RuntimeError, AssertionError):
        return None
    if len(reader) != len(pictures.times):
        return None
    return (reader[int(number)].asnumpy() for number in numbers)
