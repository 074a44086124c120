"""Layers over a background: each frame warps what was drawn once, and says which layer every pixel is of.

All in bytes and in OpenCV's own loops, on a canvas with a margin around the frame, so that nothing is cut off while it
is drawn: sprites are small, and what surrounds each call would cost more than the pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld.objects import Sprite

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
_SOLID = 128  # of 255, from which on a pixel belongs to what covers it
_SOFT = 5  # px, of the box that softens a shadow
_DARK = 0.35  # how much light a full shadow takes
_ROOM = _SOFT + 3  # px from the canvas's edge, for a shadow and its fall
_AT_ONCE = 25  # frames whose sprites are warped in one go


@dataclass(frozen=True)
class Layer:
    """poses: (T, 2, 3) from the sprite's centre to the frame; instance: whose part it is; opacity: (T,) 0 to 1."""

    sprite: Sprite
    poses: Floats
    instance: int
    opacity: Floats | None = None


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
class _Warped:
    """A layer in some frames. corners: (T, 2) where its pixels lie on the canvas; covers: (T, h, w, 4) premultiplied;
    alphas: (T, h, w); solid: (T, h, w), whether a pixel is the layer's own; passing: (T, h, w, 4) 255 less alpha; near:
    (T,) whether it lies on the canvas at all."""

    number: int
    instance: int
    corners: list[list[int]]
    covers: Bytes
    alphas: Bytes
    solid: NDArray[np.bool_]
    passing: Bytes
    near: list[bool]


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
    frame = slice(margin, margin + side)
    laid = Laid(
        np.empty((count, side, side, 3), np.uint8),
        np.empty((count, side, side), np.uint8),
        np.zeros((count, instances, 4), np.int32),
        np.zeros((count, instances), np.int32),
    )
    # The fourth channel is there because sprites have one: it holds nothing.
    canvas = np.zeros((side + 2 * margin, side + 2 * margin, 4), np.uint8)
    owner = np.zeros(canvas.shape[:2], np.uint8)
    backdrop = cv2.cvtColor(world, cv2.COLOR_RGB2RGBA)
    about = about_centre(camera, world)
    fallen = round(drop[0]), round(drop[1])
    for start in range(0, count, _AT_ONCE):
        warped: list[list[_Warped]] = []
        number = 1
        for group in groups:
            some = slice(start, start + _AT_ONCE)
            warped.append([_warp(layer, number + place, some, side, margin) for place, layer in enumerate(group)])
            number += len(group)
        for place, index in enumerate(range(start, min(start + _AT_ONCE, count))):
            canvas[frame, frame] = cv2.warpAffine(
                backdrop, about[index], (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
            )
            owner[:] = 0
            for layers in warped:
                if shown := [one for one in layers if one.near[place]]:
                    _lay(canvas, owner, laid, index, place, shown, fallen)
            cv2.cvtColor(canvas[frame, frame], cv2.COLOR_RGBA2RGB, dst=laid.picture[index])
            laid.owner[index] = owner[frame, frame]
    laid.boxes[laid.areas > 0] -= margin
    return laid


def _warp(layer: Layer, number: int, some: slice, side: int, margin: int) -> _Warped:
    """All frames of a slice at once, in boxes of one size, below each other in one image."""
    poses, pixels = layer.poses[some], layer.sprite.pixels
    half = np.abs(poses[:, :, :2]) @ [pixels.shape[1] / 2, pixels.shape[0] / 2] + 1
    width, height = np.minimum(np.ceil(2 * half.max(axis=0)).astype(int) + 1, side + 2 * margin - 2 * _ROOM).tolist()
    corners = np.round(poses[:, :, 2] + margin - [(width - 1) / 2, (height - 1) / 2]).astype(int)
    most = side + 2 * margin - _ROOM - np.array([width, height])
    near = ((corners >= _ROOM) & (corners <= most)).all(axis=1)
    if layer.opacity is not None:
        near &= layer.opacity[some] > 0
    # From a box's pixels to the sprite's.
    linear = np.linalg.inv(poses[:, :, :2])
    middle = np.array([pixels.shape[1] - 1, pixels.shape[0] - 1]) / 2
    shift = (linear @ (corners - margin - poses[:, :, 2])[:, :, None])[:, :, 0] + middle
    linear, shift = linear.astype(np.float32), shift.astype(np.float32)
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    maps = [
        (linear[:, axis, 0, None, None] * columns + shift[:, axis, None, None]) + linear[:, axis, 1, None, None] * rows
        for axis in (0, 1)
    ]
    tall = (len(poses) * height, width)
    covers = np.asarray(cv2.remap(pixels, maps[0].reshape(tall), maps[1].reshape(tall), cv2.INTER_LINEAR), np.uint8)
    if layer.opacity is not None:
        fade = layer.opacity[some].astype(np.float32).repeat(height)
        covers = np.asarray(covers * fade[:, None, None] + np.float32(0.5), np.uint8)
    alphas = np.asarray(cv2.extractChannel(covers, 3), np.uint8)
    passing = cv2.cvtColor(cv2.bitwise_not(alphas), cv2.COLOR_GRAY2RGBA)
    shape = (len(poses), height, width)
    return _Warped(
        number,
        layer.instance,
        corners.tolist(),
        covers.reshape(*shape, 4),
        alphas.reshape(shape),
        (alphas >= _SOLID).reshape(shape),
        np.asarray(passing, np.uint8).reshape(*shape, 4),
        near.tolist(),
    )


def _lay(
    canvas: Bytes,
    owner: Bytes,
    laid: Laid,
    index: int,
    place: int,
    layers: list[_Warped],
    fallen: tuple[int, int],
) -> None:
    """Draws the layers of a group, their shadow first. index: of the frame; place: of the frame among those warped."""
    by_instance: dict[int, list[_Warped]] = {}
    for one in layers:
        by_instance.setdefault(one.instance, []).append(one)
    shapes = []
    for instance, parts in by_instance.items():
        left, top, shape = _union([(*one.corners[place], one.alphas[place]) for one in parts])
        shapes.append((left, top, shape))
        solid = (shape >= _SOLID).view(np.uint8)
        x, y, width, height = cv2.boundingRect(solid)
        if width:
            laid.areas[index, instance] = cv2.countNonZero(solid)
            laid.boxes[index, instance] = (left + x, top + y, left + x + width, top + y + height)
    left, top, shape = _union(shapes)
    shade = cv2.blur(cv2.copyMakeBorder(shape, *(_SOFT,) * 4, cv2.BORDER_CONSTANT, value=0), (_SOFT, _SOFT))
    light = cv2.cvtColor(cv2.LUT(shade, _LEFT), cv2.COLOR_GRAY2RGBA)
    x, y = left + fallen[0] - _SOFT, top + fallen[1] - _SOFT
    region = canvas[y : y + light.shape[0], x : x + light.shape[1]]
    cv2.multiply(region, light, dst=region, scale=1 / 255)
    for one in layers:
        x, y = one.corners[place]
        solid = one.solid[place]
        height, width = solid.shape
        region = canvas[y : y + height, x : x + width]
        cv2.multiply(region, one.passing[place], dst=region, scale=1 / 255)
        cv2.add(region, one.covers[place], dst=region)
        np.copyto(owner[y : y + height, x : x + width], one.number, where=solid)


def _union(shapes: list[tuple[int, int, Bytes]]) -> tuple[int, int, Bytes]:
    """Of masks with the place of their corners, left and top: the same of what any of them covers."""
    if len(shapes) == 1:
        return shapes[0]
    left, top = min(one[0] for one in shapes), min(one[1] for one in shapes)
    right = max(one[0] + one[2].shape[1] for one in shapes)
    bottom = max(one[1] + one[2].shape[0] for one in shapes)
    whole = np.zeros((bottom - top, right - left), np.uint8)
    for x, y, shape in shapes:
        part = whole[y - top : y - top + shape.shape[0], x - left : x - left + shape.shape[1]]
        cv2.max(part, shape, dst=part)
    return left, top, whole


_LEFT: Bytes = np.round(255 - _DARK * np.arange(256)).astype(np.uint8)  # of the light, under a shadow


def about_centre(matrices: Floats, image: Bytes) -> Floats:
    """(T, 2, 3) the maps of an image's pixels, given those of its centre's coordinates."""
    centre = np.array([image.shape[1] - 1, image.shape[0] - 1]) / 2
    moved = matrices.copy()
    moved[:, :, 2] -= matrices[:, :, :2] @ centre
    return moved
