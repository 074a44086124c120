"""The picture of a clip: background, main object and perhaps a smaller silent one, under one camera and one light."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld import background, motion, objects
from pipeline.datasets.toyworld.classes import CLASSES
from pipeline.datasets.toyworld.palette import background_labs, object_palette

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Placed:
    """An object in a clip. degrees: from upright, clockwise; boxes: (T, 4) float32 left, top, right, bottom in pixels,
    which may reach beyond the frame."""

    label: str
    degrees: float
    boxes: NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """frames: (T, side, side, 3) uint8 RGB; main: the object that moves and sounds; others: still and silent; camera:
    (T, 2, 3) float32, from the world's coordinates, centred, to the frame's."""

    frames: Frames
    main: Placed
    others: tuple[Placed, ...]
    camera: NDArray[np.float32]


def shoot(
    label: str, played: motion.Strokes, times: NDArray[np.float64], side: int, rng: np.random.Generator
) -> Picture:
    """Films one clip. times: (T,) the frames' times in seconds; side: pixels."""
    light = rng.uniform(0, 2 * np.pi)
    labs = background_labs(rng)
    path = motion.camera(times, side, rng)
    world = background.paint(int(1.4 * side), labs, rng)

    sprite = objects.draw(label, object_palette(rng, labs[0]), rng.uniform(0.40, 0.56) * side, light, rng)
    # Anywhere, as long as a still object stays within a still frame.
    reach = np.clip(0.5 * side - np.abs(sprite.hull).max(axis=0) - 0.04 * side, 0.02 * side, 0.2 * side)
    at = rng.uniform(-reach, reach)
    degrees = rng.uniform(-25, 25)
    gesture = motion.gesture(rng)
    swing = gesture.displacement(times, played)
    poses = motion.compose(path, _poses(at, degrees, gesture, swing, side))
    layers = [(sprite, poses)]
    main = Placed(label, degrees, _boxes(sprite, poses))

    others: tuple[Placed, ...] = ()
    if rng.random() < 0.35:
        label_other = str(rng.choice([name for name in CLASSES if name != label]))
        small = objects.draw(label_other, object_palette(rng, labs[0]), rng.uniform(0.17, 0.24) * side, light, rng)
        # In the corner that the main object leaves the most room in.
        corner = -np.where(at == 0, 1, np.sign(at)) * rng.uniform(0.33, 0.38, 2) * side
        turn = rng.uniform(-25, 25)
        still = motion.compose(path, _poses(corner, turn, gesture, np.zeros_like(swing), side))
        layers.insert(0, (small, still))
        others = (Placed(label_other, turn, _boxes(small, still)),)

    return Picture(_frames(world, path, layers, light, times, side, rng), main, others, path.astype(np.float32))


def _poses(
    at: NDArray[np.float64], degrees: float, gesture: motion.Gesture, swing: NDArray[np.float64], side: int
) -> NDArray[np.float64]:
    """(T, 2, 3) from a sprite's centre to the world's."""
    return motion.similarity(
        at + swing[:, None] * gesture.move * side,
        np.deg2rad(degrees) + swing * gesture.turn,
        1 + swing * gesture.stretch,
    )


def _boxes(sprite: objects.Sprite, poses: NDArray[np.float64]) -> NDArray[np.float32]:
    corners = poses[:, :, :2] @ sprite.hull.T + poses[:, :, 2:]
    return np.concatenate([corners.min(axis=2), corners.max(axis=2)], axis=1).astype(np.float32)


def _frames(
    world: Frames,
    path: NDArray[np.float64],
    layers: list[tuple[objects.Sprite, NDArray[np.float64]]],
    light: float,
    times: NDArray[np.float64],
    side: int,
    rng: np.random.Generator,
) -> Frames:
    """(T, side, side, 3) uint8: each frame warps what was drawn once."""
    gain = _light(light, side, rng)
    # Brightness swings instead of drifting: a drift would tell the direction of time.
    flicker = 1 + rng.uniform(0, 0.05) * np.sin(2 * np.pi * (times / rng.uniform(0.7, 2.0) + rng.random()))
    noise = rng.normal(0, rng.uniform(0.5, 2), (2 * side, 2 * side, 3)).astype(np.float32)
    drop = (-np.cos(light) * 0.025 * side, -np.sin(light) * 0.025 * side)
    shades = [cv2.GaussianBlur(sprite.pixels[..., 3], (0, 0), 0.015 * side) for sprite, _ in layers]
    size = (side, side)
    frames = np.empty((len(times), side, side, 3), np.uint8)
    for index in range(len(times)):
        picture = cv2.warpAffine(
            world, _about_centre(path[index], world), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        ).astype(np.float32)
        for (sprite, poses), shade in zip(layers, shades, strict=True):
            matrix = _about_centre(poses[index], sprite.pixels)
            fallen = matrix.copy()
            fallen[:, 2] += drop
            shadow = cv2.warpAffine(shade, fallen, size, flags=cv2.INTER_LINEAR)
            cover = cv2.warpAffine(sprite.pixels, matrix, size, flags=cv2.INTER_LINEAR)
            left = (1 - shadow * np.float32(0.35 / 255)) * (1 - cover[..., 3] * np.float32(1 / 255))
            picture *= left[..., None]
            picture += cover[..., :3]
        picture *= gain * np.float32(flicker[index])
        row, column = rng.integers(0, side, 2)
        # Adds, rounds and keeps to 0..255 in one pass.
        cv2.add(picture, noise[row : row + side, column : column + side], dst=frames[index], dtype=cv2.CV_8U)
    return frames


def _about_centre(matrix: NDArray[np.float64], image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The map of an image's pixels, given that of its centre's coordinates."""
    centre = np.array([image.shape[1] - 1, image.shape[0] - 1]) / 2
    moved = matrix.copy()
    moved[:, 2] -= matrix[:, :2] @ centre
    return moved


def _light(angle: float, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(side, side, 1) gain: brighter towards the light, which comes from any side, so nothing says where up is."""
    rows, columns = np.indices((side, side), np.float32) / np.float32(side) - np.float32(0.5)
    slope = np.float32(np.cos(angle)) * columns + np.float32(np.sin(angle)) * rows
    exposure, contrast = rng.uniform(0.8, 1.05), rng.uniform(0.05, 0.35)
    return np.asarray(exposure * (1 + contrast * slope), np.float32)[..., None]
