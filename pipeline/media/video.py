"""Frames of a video file with their presentation times."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from pipeline.media.kinds import Kind, kind_of
from pipeline.media.survey import TICK, Pictures, opened, rewound, survey, video_stream
from pipeline.media.unusable import Unusable

TIMED = ("mov", "matroska")
"""Containers whose packets all tell when their frames are shown; some of the others tell when they are decoded."""
ANY_SIZE = 2**31 - 1  # px: the most that FFmpeg can be told


class Video:
    """A container that was surveyed. Frames are decoded forwards, each once, and only those asked for become RGB.

    times: (N,) seconds at which each is shown first, on the container's own clock; width, height: px, upright.
    """

    def __init__(self, container: InputContainer, kind: Kind, pictures: Pictures, max_pixels: int) -> None:
        """max_pixels: of a frame, whatever size the container says it has. Raises Unusable, or whatever PyAV raises,
        where the first frame cannot be decoded."""
        self.times, self.end = pictures.times, pictures.end
        self._timed = kind.demuxer in TIMED
        self._frames = _decoded(rewound(container, kind), max_pixels)
        self._number = -1
        self._frame = self._following()
        self._reformatter = VideoReformatter()
        self._quarters = round(self._frame.rotation / 90)
        size = (self._frame.width, self._frame.height)
        self.width, self.height = size[::-1] if self._quarters % 2 else size

    def frames(self, numbers: np.ndarray, side: int) -> np.ndarray:
        """numbers: ascending, none before those of the last call. (n, side, side, 3) uint8 RGB: `square` of each."""
        made = np.empty((len(numbers), side, side, 3), np.uint8)
        for place, frame in enumerate(self.decoded(numbers)):
            square(frame, side, made[place])
        return made

    def decoded(self, numbers: np.ndarray) -> Iterator[np.ndarray]:
        """numbers: as in `frames`. Each (height, width, 3) uint8 RGB, as it is in the file but upright."""
        for number in numbers:
            while self._number < number:
                self._frame = self._following()
            yield self._as_rgb(self._frame)

    def _following(self) -> VideoFrame:
        """Raises Unusable where there is none, or another than the container says."""
        frame = next(self._frames, None)
        if frame is None:
            raise Unusable(f"breaks off after {self._number + 1} of its {len(self.times)} frames")
        self._number += 1
        told = self.times[self._number]
        # One that a decoder drops or gives out of order would shift all that follow.
        if self._timed and frame.time is not None and abs(frame.time - told) > TICK:
            raise Unusable(f"shows no frame at {told:.3f} s, where its container says that there is one")
        return frame

    def _as_rgb(self, frame: VideoFrame) -> np.ndarray:
        # Without a number, FFmpeg starts threads for each frame, which takes longer than the frame.
        plane = self._reformatter.reformat(frame, format="rgb24", threads=1).planes[0]
        lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
        picture = lines[:, : 3 * plane.width].reshape(plane.height, plane.width, 3)
        return np.rot90(picture, self._quarters) if self._quarters else picture


def _decoded(container: InputContainer, max_pixels: int) -> Iterator[VideoFrame]:
    with container:
        stream = video_stream(container)
        assert stream is not None
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(min(max_pixels, ANY_SIZE))}
        yield from container.decode(stream)


def open_video(path: Path) -> Video:
    """Raises Unusable for a file without pictures, or whatever decoders raise for one that is damaged."""
    kind = kind_of(path)
    container = opened(path, kind)
    pictures = survey(container, kind, ANY_SIZE).pictures
    if pictures is None:
        raise Unusable("has no pictures")
    return Video(container, kind, pictures, ANY_SIZE)


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
