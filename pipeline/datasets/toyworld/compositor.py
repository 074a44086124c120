"""Layers over a background: each frame warps what was drawn once, and says which layer every pixel is of.

All in bytes and in OpenCV's own loops, on a canvas with a margin around the frame, so that nothing is cut off while it
is drawn: sprites are small, and what surrounds each call would cost more than the pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld.warp import SOFT, SOLID, Layer, Warped, warped

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
_DARK = 0.35  # how much light a full shadow takes
_AT_ONCE = 25  # frames whose sprites are warped in one go


@dataclass(frozen=True)
class Laid:
    """picture: (T, side, side, 3) uint8; owner: (T, side, side) uint8, the layer that is seen, counted from 1 in the
    order given, 0 for the background; boxes: (T, instances, 4) int32 left, top, right, bottom of all solid pixels of an
    instance, covered ones too, which may reach beyond the frame, zeros where there are none; areas: (T, instances)
    int32 the number of those pixels."""

    picture: Bytes
    owner: Bytes
    boxes: NDArray[np.int32]
    areas: NDArray[np.int32]


@dataclass(frozen=True)
class _Shape:
    """Masks in T frames. rows: (T,) which of the masks is a frame's, or -1; corners: (T, 2), left and top; sizes: (T,
    2), width and height; masks: (N, h, w), of which the upper left is used."""

    rows: NDArray[np.int64]
    corners: NDArray[np.int64]
    sizes: NDArray[np.int64]
    masks: Bytes


def compose(
    world: Bytes,
    camera: Floats,
    groups: list[list[Layer]],
    instances: int,
    drop: tuple[float, float],
    side: int,
) -> Laid:
    """world: (h, w, 3) the background about its centre; camera: (T, 2, 3); groups: from back to front, the layers of
    one cast one shadow together; drop: px right and down by which shadows fall.

    What reaches half a side beyond the frame is left out."""
    count, margin = len(camera), side // 2
    laid = Laid(
        np.empty((count, side, side, 3), np.uint8),
        np.empty((count, side, side), np.uint8),
        np.zeros((count, instances, 4), np.int32),
        np.zeros((count, instances), np.int32),
    )
    # The fourth channel holds which layer is seen: drawn like a colour, but that its masks are hard.
    canvas = np.zeros((side + 2 * margin, side + 2 * margin, 4), np.uint8)
    framed = canvas[margin : margin + side, margin : margin + side]
    backdrop = cv2.cvtColor(world, cv2.COLOR_RGB2RGBA)
    backdrop[..., 3] = 0
    about = about_centre(camera, world)
    fallen = np.round(drop).astype(int) - SOFT
    for start in range(0, count, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        steps = [step for layers in warped(groups, some, side, margin) for step in _steps(layers, laid, some, fallen)]
        for place, index in enumerate(range(start, min(start + _AT_ONCE, count))):
            size = (side, side)
            cv2.warpAffine(backdrop, about[index], size, framed, cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)
            for rows, corners, sizes, passing, covers in steps:
                if (row := rows[place]) < 0:
                    continue
                (x, y), (width, height) = corners[place], sizes[place]
                region = canvas[y : y + height, x : x + width]
                cv2.multiply(region, passing[row, :height, :width], dst=region, scale=1 / 255)
                if covers is not None:
                    cv2.add(region, covers[row], dst=region)
            cv2.cvtColor(framed, cv2.COLOR_RGBA2RGB, dst=laid.picture[index])
            cv2.extractChannel(framed, 3, dst=laid.owner[index])
    laid.boxes[laid.areas > 0] -= margin
    return laid


# Of all frames, as lists: which row of what follows, where, how large; what is left of what lies below, what is added.
_Step = tuple[list[int], list[list[int]], list[list[int]], Bytes, Bytes | None]


def _steps(layers: list[Warped], laid: Laid, some: slice, fallen: NDArray[np.int64]) -> list[_Step]:
    """What a group does to the canvas, its shadow first; notes boxes and areas of its instances. fallen: px right and
    down by which the light's corner lies from the shape's."""
    by_instance: dict[int, list[_Shape]] = {}
    for one in layers:
        sizes = np.broadcast_to(one.alphas.shape[:0:-1], one.corners.shape)
        by_instance.setdefault(one.instance, []).append(_Shape(one.rows, one.corners, sizes, one.alphas))
    shapes = []
    for instance, parts in by_instance.items():
        shapes.append(_union(parts))
        _measure(shapes[-1], laid, some, instance)
    whole = _union(shapes)
    if not len(whole.masks):
        return []
    count, height, width = whole.masks.shape
    room = np.zeros((count, height + 2 * SOFT, width + 2 * SOFT), np.uint8)
    room[:, SOFT:-SOFT, SOFT:-SOFT] = whole.masks
    shade = cv2.blur(room.reshape(-1, room.shape[2]), (SOFT, SOFT))
    light = np.asarray(cv2.cvtColor(cv2.LUT(shade, _LEFT), cv2.COLOR_GRAY2RGBA), np.uint8).reshape(*room.shape, 4)
    corners, sizes = whole.corners + fallen, whole.sizes + 2 * SOFT
    steps: list[_Step] = [(whole.rows.tolist(), corners.tolist(), sizes.tolist(), light, None)]
    for one in layers:
        sizes = np.broadcast_to(one.alphas.shape[:0:-1], one.corners.shape)
        steps.append((one.rows.tolist(), one.corners.tolist(), sizes.tolist(), one.passing, one.covers))
    return steps


def _measure(shape: _Shape, laid: Laid, some: slice, instance: int) -> None:
    frames = np.flatnonzero(shape.rows >= 0)
    solid = shape.masks[shape.rows[frames]] >= SOLID
    columns, rows = np.asarray(solid.any(axis=1)), np.asarray(solid.any(axis=2))
    areas = np.count_nonzero(solid, axis=(1, 2))
    left, top = columns.argmax(axis=1), rows.argmax(axis=1)
    right = columns.shape[1] - columns[:, ::-1].argmax(axis=1)
    bottom = rows.shape[1] - rows[:, ::-1].argmax(axis=1)
    boxes = np.stack([left, top, right, bottom], axis=1) + np.tile(shape.corners[frames], 2)
    laid.areas[some.start + frames, instance] = areas
    laid.boxes[some.start + frames, instance] = boxes * (areas > 0)[:, None]


def _union(shapes: list[_Shape]) -> _Shape:
    """What any of some masks covers."""
    if len(shapes) == 1:
        return shapes[0]
    rows = np.stack([one.rows for one in shapes])
    shown = rows >= 0
    corners = np.stack([one.corners for one in shapes])
    ends = np.where(shown[..., None], corners + np.stack([one.sizes for one in shapes]), 0).max(axis=0)
    starts = np.where(shown[..., None], corners, _FAR).min(axis=0)
    starts = np.minimum(starts, ends)
    width, height = np.maximum((ends - starts).max(axis=0), 1).tolist()
    masks = np.zeros((shown.shape[1], height, width), np.uint8)
    for one, of_one, places in zip(shapes, rows.tolist(), (corners - starts).tolist(), strict=True):
        for index, (row, (x, y), (width, height)) in enumerate(zip(of_one, places, one.sizes.tolist(), strict=True)):
            if row >= 0:
                part = masks[index, y : y + height, x : x + width]
                cv2.max(part, one.masks[row, :height, :width], dst=part)
    is_any = np.asarray(shown.any(axis=0))
    return _Shape(
        np.where(is_any, np.arange(len(is_any)), -1), starts, ends - starts, masks[: len(is_any) * is_any.any()]
    )


_FAR = 2**30  # px, beyond any canvas
_LEFT: Bytes = np.round(255 - _DARK * np.arange(256)).astype(np.uint8)  # of the light, under a shadow


def about_centre(matrices: Floats, image: Bytes) -> Floats:
    """(T, 2, 3) the maps of an image's pixels, given those of its centre's coordinates."""
    centre = np.array([image.shape[1] - 1, image.shape[0] - 1]) / 2
    moved = matrices.copy()
    moved[:, :, 2] -= matrices[:, :, :2] @ centre
    return moved
