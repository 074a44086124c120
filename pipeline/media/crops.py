"""Stills cut out of a video file's frames, in full resolution, before anything makes them small."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.media.kinds import kind_of
from pipeline.media.seeking import sought
from pipeline.media.survey import opened, survey
from pipeline.media.unusable import Unusable
from pipeline.media.video import Video, square
from pipeline.media.windows import Kept, Window


def cut_stills(path: Path, stills: list[dict[str, Any]], store: Kept) -> Iterator[Window]:
    """stills: `frame` and `box` of each, in any order; several may be of one frame. Facts of each (start, end,
    frame_times: seconds since the file's first frame; width and height of the box) and `frames` (1, side, side, 3).

    Raises Unusable for a file without pictures or without one of the frames, or whatever a decoder raises."""
    kind = kind_of(path)
    container = opened(path, kind)
    pictures = survey(container, kind, store.max_pixels).pictures
    if pictures is None:
        raise Unusable("has no pictures")
    last = max(int(still["frame"]) for still in stills)
    if last >= len(pictures.times):
        raise Unusable(f"has {len(pictures.times)} frames, and a still is cut from number {last}")
    numbers = np.unique([int(still["frame"]) for still in stills])
    found = sought(path, kind, pictures, numbers)
    if found is None:
        found = Video(container, kind, pictures, store.max_pixels).decoded(numbers)
    frames = dict(zip(numbers.tolist(), found, strict=True))
    for still in stills:
        time = float(pictures.times[still["frame"]] - pictures.times[0])
        picture = cut(frames[still["frame"]], still["box"])
        facts = {"start": time, "end": time, "frame_times": [time]}
        facts |= {"width": picture.shape[1], "height": picture.shape[0]}
        yield facts, {"frames": square(picture, store.side)[None]}


def cut(picture: np.ndarray, box: Sequence[int]) -> np.ndarray:
    """picture: (H, W, 3); box: left, top, right, bottom in px -> what the box shows. Raises Unusable for one that
    reaches beyond the picture."""
    left, top, right, bottom = box
    height, width = picture.shape[:2]
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise Unusable(f"is {width} x {height} px, and a still is cut from {left}, {top} to {right}, {bottom}")
    return picture[top:bottom, left:right]
