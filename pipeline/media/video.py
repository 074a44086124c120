"""Frames of a video file with their presentation times: by decord, whose times are not the container's, or by PyAV."""

from collections.abc import Iterator
from pathlib import Path

# Before decord, which offers its old codecs to every library that is loaded after it: PyAV's then refuse to work.
import av  # noqa: F401
import cv2
import decord
import numpy as np

from pipeline.media.kinds import Kind, kind_of
from pipeline.media.survey import Pictures, opened, survey, video_stream
from pipeline.media.unusable import Unusable

BYTES_AT_ONCE = 64_000_000
"""Of frames as they come out of a decoder: bounds the memory of a file of any length and size."""
BY_DECORD = ("mov", "matroska")
"""Containers that decord indexes rightly; of MPEG-TS with reordered frames it repeats some in the place of others."""
NONE_REPEATED = 1e-9
"""Share of the frames that decord may replace by their neighbours where it fails to decode them; it says nothing."""
ANY_SIZE = 2**31  # px, of a picture that was decoded before

decord.logging.set_level(decord.logging.QUIET)


class Video:
    """A file that has been opened. Frames are decoded forwards, each once.

    times: (N,) seconds at which each is shown first, on the container's own clock, which decord gets wrong: it counts
    from the first frame, however late that is, and does not know of edit lists. decord decodes twice as fast as PyAV;
    where it does not open a file (AV1), finds another number of frames (edit lists) or loses some (MPEG-TS), PyAV does.
    """

    def __init__(self, path: Path, kind: Kind, pictures: Pictures) -> None:
        self.times, self.end = pictures.times, pictures.end
        self.width, self.height = pictures.width, pictures.height
        self._path, self._kind = path, kind
        reader = _decord(path) if kind.demuxer in BY_DECORD else None
        self._reader = reader if reader is not None and len(reader) == len(self.times) else None
        self._frames = self._by_pyav() if self._reader is None else None
        self._next = 0

    def frames(self, numbers: np.ndarray, side: int) -> np.ndarray:
        """numbers: ascending, none before those of the last call. (n, side, side, 3) uint8 RGB: `square` of each."""
        made = np.empty((len(numbers), side, side, 3), np.uint8)
        at_once = max(1, min(64, BYTES_AT_ONCE // (3 * self.width * self.height)))
        for first in range(0, len(numbers), at_once):
            some = numbers[first : first + at_once]
            for place, frame in enumerate(self.decoded(some), first):
                square(frame, side, made[place])
        return made

    def decoded(self, numbers: np.ndarray) -> Iterator[np.ndarray]:
        """numbers: as in `frames`. Each (height, width, 3) uint8 RGB, as it is in the file."""
        if self._reader is not None:
            yield from self._reader.get_batch(numbers).asnumpy()
            return
        assert self._frames is not None
        for number in numbers:
            frame = None
            while self._next <= number:
                frame = next(self._frames, None)
                self._next += 1
                if frame is None:
                    raise Unusable(f"breaks off after {self._next - 1} of its {len(self.times)} frames")
            assert frame is not None
            yield frame

    def _by_pyav(self) -> Iterator[np.ndarray]:
        with opened(self._path, self._kind) as container:
            stream = video_stream(container)
            assert stream is not None
            stream.codec_context.thread_count = 1
            for frame in container.decode(stream):
                yield frame.to_ndarray(format="rgb24")


def _decord(path: Path) -> decord.VideoReader | None:
    try:
        return decord.VideoReader(str(path), num_threads=1, fault_tol=NONE_REPEATED)
    except (decord.DECORDError, RuntimeError, AssertionError):
        return None


def open_video(path: Path) -> Video:
    """Raises Unusable for a file without pictures, or whatever decoders raise for one that is damaged."""
    kind = kind_of(path)
    pictures = survey(path, kind, ANY_SIZE).pictures
    if pictures is None:
        raise Unusable("has no pictures")
    return Video(path, kind, pictures)


def square(image: np.ndarray, side: int, made: np.ndarray | None = None) -> np.ndarray:
    """(H, W, 3) or (H, W) uint8 -> (side, side, ...): middle square, resized by area when it shrinks (no aliasing).
    made: where it is to be written, if anywhere."""
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    middle = image[top : top + short, left : left + short]
    made = np.empty((side, side, *image.shape[2:]), np.uint8) if made is None else made
    if short == side:
        made[:] = middle
    else:
        cv2.resize(middle, (side, side), dst=made, interpolation=cv2.INTER_AREA if short > side else cv2.INTER_CUBIC)
    return made
