"""The picture of a clip, and all that is known of it: boxes, layers, joints, the camera, the flow of every pixel."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld import background, motion
from pipeline.datasets.toyworld.compositor import compose
from pipeline.datasets.toyworld.exposure import expose
from pipeline.datasets.toyworld.palette import background_labs
from pipeline.datasets.toyworld.staging import Setting, Thing, stage

Floats = NDArray[np.float64]
_FALLS = 0.025  # of the frame's side, by which a shadow falls


@dataclass(frozen=True)
class Picture:
    """Of T frames, N things and L layers.

    frames: (T, side, side, 3) uint8 RGB; boxes: (T, N, 4) float32 left, top, right, bottom in pixels of all that is a
    thing's, covered parts too, clipped to the frame, nan where nothing of it is seen; visible: (T, N) float32, the
    share of it that is inside and not covered; joints: (T, 13, 2) pixels, joints_visible: (T, 13), inside and covered
    by nothing but the actor; camera: (T, 2, 3) from the world's coordinates, centred, to the frame's; layers: (T, side,
    side) uint8, which layer is seen, 0 for the background; poses: (L + 1, T, 2, 3) of the layers to the frame, the
    background's first; owners: (L + 1,) which thing a layer is part of, -1 for the background; start, end: seconds
    between which the actor acts; event: what happens for good, or None."""

    frames: NDArray[np.uint8]
    things: tuple[Thing, ...]
    boxes: NDArray[np.float32]
    visible: NDArray[np.float32]
    joints: NDArray[np.float32]
    joints_visible: NDArray[np.bool_]
    camera: NDArray[np.float32]
    layers: NDArray[np.uint8]
    poses: Floats
    owners: NDArray[np.int16]
    start: float
    end: float
    event: str | None

    @property
    def instances(self) -> NDArray[np.int16]:
        """(T, side, side) which thing is seen, -1 for the background."""
        return self.owners[self.layers]


def shoot(
    label: str, action: str, hard: bool, played: motion.Strokes, times: Floats, side: int, rng: np.random.Generator
) -> Picture:
    """Films one clip. label: of the main object; hard: cluttered, with a silent, still double of the main object's
    class; played: when the main object moves; times: (T,) seconds of the frames; side: pixels."""
    light = rng.uniform(0, 2 * np.pi)
    labs = background_labs(rng, busy=hard or rng.random() < 0.2)
    path = motion.camera(times, side, rng)
    world = background.paint(int(1.4 * side), labs, rng)
    staged = stage(label, action, hard, played, Setting(times, side, light, labs[0]), rng)
    poses = motion.compose(path, np.stack([layer.poses for layers in staged.groups for layer in layers]))
    following = iter(poses)
    groups = [[replace(layer, poses=next(following)) for layer in layers] for layers in staged.groups]
    drop = (-np.cos(light) * _FALLS * side, -np.sin(light) * _FALLS * side)
    laid = compose(world, path, groups, len(staged.things), drop, side)
    flat = [layer for layers in groups for layer in layers]
    owners = np.array([-1, *(layer.instance for layer in flat)], np.int16)
    # From 1, so that it fits into bytes; 0 for the background.
    table = np.zeros(256, np.uint8)
    table[: len(owners)] = owners + 1
    things = table.take(laid.owner)
    boxes, visible = _seen(things, laid.boxes, laid.areas, side)
    joints = (staged.joints @ np.swapaxes(path[:, :, :2], 1, 2) + path[:, None, :, 2]).astype(np.float32)
    actor = next(place for place, thing in enumerate(staged.things) if thing.role == "actor")
    return Picture(
        frames=expose(laid.picture, times, light, rng),
        things=staged.things,
        boxes=boxes,
        visible=visible,
        joints=joints,
        joints_visible=_uncovered(joints, things == actor + 1),
        camera=path.astype(np.float32),
        layers=laid.owner,
        poses=np.concatenate([path[None], poses]),
        owners=owners,
        start=staged.start,
        end=staged.end,
        event=staged.event,
    )


def flow_of(picture: Picture) -> NDArray[np.float32]:
    """(T, side, side, 2) the exact flow of a clip: for each pixel the x and y, in pixels, by which what it shows has
    moved since the frame before; zeros in the first frame.

    It follows from the layers' poses, which rendering a clip again from its seed gives (`Toyworld.render`): what is
    stored with a dataset are masks and camera, not poses. Shadows and half-transparent smoke count as what they lie
    on."""
    count, side = picture.layers.shape[:2]
    square = np.zeros((*picture.poses.shape[:2], 3, 3))
    square[:, :, :2], square[:, :, 2, 2] = picture.poses, 1
    # From a frame's pixels to those of the frame before, for each layer.
    back = square[:, :-1] @ np.linalg.inv(square[:, 1:])
    rows, columns = np.indices((side, side), np.float64)
    here = np.stack([columns, rows], axis=2)
    flow = np.zeros((count, side, side, 2), np.float32)
    for index in range(1, count):
        maps = back[:, index - 1][picture.layers[index]]
        before = np.einsum("hwij,hwj->hwi", maps[..., :2, :2], here) + maps[..., :2, 2]
        flow[index] = here - before
    return flow


def _seen(
    things: NDArray[np.uint8], boxes: NDArray[np.int32], areas: NDArray[np.int32], side: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes clipped to the frame and visible shares, from boxes (T, N, 4) and areas (T, N) of whole things; things:
    (T, side, side) which is seen, counted from 1."""
    numbers = range(1, areas.shape[1] + 1)
    pixels = np.stack([np.count_nonzero(things == number, axis=(1, 2)) for number in numbers], axis=1)
    visible = pixels / np.maximum(areas, 1)
    clipped = np.clip(boxes, 0, side).astype(np.float32)
    clipped[pixels == 0] = np.nan
    return clipped, visible.astype(np.float32)


def _uncovered(joints: NDArray[np.float32], actor: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(T, 13) which joints (T, 13, 2) are in the frame and show the actor itself; actor: (T, side, side)."""
    side = actor.shape[1]
    places = np.round(joints).astype(int)
    inside = ((places >= 0) & (places < side)).all(axis=2)
    x, y = np.moveaxis(np.clip(places, 0, side - 1), 2, 0)
    return np.asarray(inside & actor[np.arange(len(actor))[:, None], y, x])
