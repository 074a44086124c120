"""Layers warped to where they lie in each frame: all frames of a layer in one go, in boxes of one size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld.objects import Sprite

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
SOLID = 128  # of 255, from which on a pixel belongs to what covers it
SOFT = 5  # px, of the box that softens a shadow
ROOM = SOFT + 3  # px from the canvas's edge, for a shadow and its fall


@dataclass(frozen=True)
class Layer:
    """poses: (T, 2, 3) from the sprite's centre to the frame; instance: whose part it is; opacity: (T,) 0 to 1."""

    sprite: Sprite
    poses: Floats
    instance: int
    opacity: Floats | None = None


@dataclass(frozen=True)
class Warped:
    """A layer in T frames, in N of which it lies on the canvas. rows: (T,) which of the N a frame is, or -1; corners:
    (T, 2) where its pixels lie, left and top; alphas: (N, h, w); covers: (N, h, w, 4) premultiplied colours, and the
    layer's number where it is solid, else 0; passing: (N, h, w, 4) 255 less alpha, and 255 where the layer is not
    solid, else 0."""

    instance: int
    rows: NDArray[np.int64]
    corners: NDArray[np.int64]
    alphas: Bytes
    covers: Bytes
    passing: Bytes


def warped(groups: list[list[Layer]], some: slice, side: int, margin: int) -> list[list[Warped]]:
    """All layers in the frames of a slice, by group."""
    flat = [layer for layers in groups for layer in layers]
    poses = np.stack([layer.poses[some] for layer in flat])
    linear, centres = poses[..., :2], poses[..., 2]
    extents = np.array([layer.sprite.pixels.shape[1::-1] for layer in flat])
    # Boxes of one size for all of a layer's frames.
    half = (np.abs(linear) * (extents[:, None, None] / 2)).sum(axis=3) + 1
    clear = np.ones(centres.shape[:2], bool)
    for place, layer in enumerate(flat):
        if layer.opacity is not None:
            clear[place] = layer.opacity[some] > 0
    half *= clear[..., None]
    sizes = np.minimum(np.ceil(2 * half.max(axis=1)).astype(int) + 1, side + 2 * margin - 2 * ROOM)
    corners = np.round(centres + margin - (sizes[:, None] - 1) / 2).astype(int)
    most = side + 2 * margin - ROOM - sizes[:, None]
    near = clear & ((corners >= ROOM) & (corners <= most)).all(axis=2)
    # From a box's pixels to the sprite's.
    inverse = _inverse(linear)
    shift = (inverse * (corners - margin - centres)[..., None, :]).sum(axis=3) + (extents[:, None] - 1) / 2
    inverse, shift = inverse.astype(np.float32), shift.astype(np.float32)
    made = iter(
        _warp(layer, number, some, *of_layer)
        for number, (layer, *of_layer) in enumerate(
            zip(flat, sizes.tolist(), corners, near, inverse, shift, strict=True), start=1
        )
    )
    return [[next(made) for _ in layers] for layers in groups]


def _warp(
    layer: Layer,
    number: int,
    some: slice,
    size: tuple[int, int],
    corners: NDArray[np.int64],
    near: NDArray[np.bool_],
    inverse: NDArray[np.float32],
    shift: NDArray[np.float32],
) -> Warped:
    """All frames of a slice that it is near in at once, below each other in one image. size: of each, width and height;
    inverse (T, 2, 2), shift (T, 2): from their pixels to the sprite's."""
    width, height = size
    rows_of_frames = np.where(near, np.cumsum(near) - 1, -1)
    shape = (int(near.sum()), height, width)
    if not shape[0]:
        nothing = np.zeros((*shape, 4), np.uint8)
        return Warped(layer.instance, rows_of_frames, corners, nothing[..., 0], nothing, nothing)
    inverse, shift = inverse[near], shift[near]
    columns = inverse[:, :, :1] * np.arange(width, dtype=np.float32) + shift[:, :, None]
    rows = inverse[:, :, 1:] * np.arange(height, dtype=np.float32)
    tall = (shape[0] * height, width)
    x, y = ((columns[:, axis, None, :] + rows[:, axis, :, None]).reshape(tall) for axis in (0, 1))
    covers = np.asarray(cv2.remap(layer.sprite.pixels, x, y, cv2.INTER_LINEAR), np.uint8)
    if layer.opacity is not None:
        fade = layer.opacity[some][near].astype(np.float32).repeat(height)
        covers = np.asarray(covers * fade[:, None, None] + np.float32(0.5), np.uint8)
    alphas = np.asarray(cv2.extractChannel(covers, 3), np.uint8)
    passing = np.asarray(cv2.cvtColor(cv2.bitwise_not(alphas), cv2.COLOR_GRAY2RGBA), np.uint8)
    cv2.insertChannel(cv2.threshold(alphas, SOLID - 1, number, cv2.THRESH_BINARY)[1], covers, 3)
    cv2.insertChannel(cv2.threshold(alphas, SOLID - 1, 255, cv2.THRESH_BINARY_INV)[1], passing, 3)
    return Warped(
        layer.instance,
        rows_of_frames,
        corners,
        alphas.reshape(shape),
        covers.reshape(*shape, 4),
        passing.reshape(*shape, 4),
    )


def _inverse(linear: Floats) -> Floats:
    """(..., 2, 2); np.linalg.inv takes as long as warping does."""
    a, b, c, d = linear[..., 0, 0], linear[..., 0, 1], linear[..., 1, 0], linear[..., 1, 1]
    swapped = np.stack([np.stack([d, -b], axis=-1), np.stack([-c, a], axis=-1)], axis=-2)
    return np.asarray(swapped / (a * d - b * c)[..., None, None])
