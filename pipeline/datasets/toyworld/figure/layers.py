"""A body put on a performance: each sprite follows its bone."""

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld.figure.body import SEAT_HEIGHT, Body
from pipeline.datasets.toyworld.figure.performance import Performance
from pipeline.datasets.toyworld.figure.skeleton import MIRRORED, SOLE, TYPICAL, Floats
from pipeline.datasets.toyworld.objects import Sprite

_TOE = 0.095  # from an ankle to the toes, body heights


def pixels(body: Body, performance: Performance, at: Floats, mirrored: bool) -> Floats:
    """(T, 13, 2) the joints in the world's centred pixels, left and right as the actor has them.

    at: (2,) pixels, the ground below the pelvis's first place; mirrored: the actor faces left.
    """
    placed = performance.joints[:, MIRRORED] if mirrored else performance.joints
    return np.asarray(at + body.height * placed * [-1 if mirrored else 1, 1])


def layers(body: Body, performance: Performance, at: Floats, mirrored: bool) -> list[tuple[Sprite, Floats]]:
    """Sprites with their poses (T, 2, 3), from the sprite's centre to the world's centred pixels, back to front.

    at, mirrored: as for pixels. The seat comes first, if there is one; a prop that is never seen is left out.
    """
    joints = performance.joints
    chest, pelvis = joints[:, 1:3].mean(axis=1), joints[:, 7:9].mean(axis=1)
    upright = np.tile([[1.0, 0.0], [0.0, 1.0]], (len(joints), 1, 1))
    drawn: list[tuple[str, Floats, Floats]] = []
    if performance.seat is not None:
        tall = upright * [[1.0, 0.0], [0.0, -performance.seat[1] / SEAT_HEIGHT]]
        drawn.append(("seat", tall, np.broadcast_to(performance.seat, pelvis.shape)))
    prop = ("prop", upright, _shown(performance))
    seen = bool(performance.prop_visible.any())

    # The far side is the left one: unmirrored, the actor shows its right side.
    drawn += _arm(joints, 0)
    if seen and performance.prop_behind:
        drawn.append(prop)
    drawn += _leg(joints, 0) + _leg(joints, 1)
    drawn.append(("torso", _along(pelvis - chest, TYPICAL.torso), pelvis))
    drawn.append(("head", _along(chest - joints[:, 0], None), joints[:, 0]))
    if seen and not performance.prop_behind:
        drawn.append(prop)
    drawn += _arm(joints, 1)

    flip = np.array([[-1.0 if mirrored else 1.0, 0.0], [0.0, 1.0]])
    finished = []
    for name, linear, place in drawn:
        part = body.parts[name]
        matrix = flip @ linear * (body.height / body.scale)
        moved = at + body.height * place @ flip - matrix @ part.origin
        finished.append((part.sprite, np.concatenate([matrix, moved[:, :, None]], axis=2)))
    return finished


def _shown(performance: Performance) -> Floats:
    """(T, 2) where the prop is drawn: far outside any picture while it is not to be seen."""
    return np.where(performance.prop_visible[:, None], performance.prop, [50.0, -50.0])


def _along(bone: Floats, drawn: float | None) -> Floats:
    """(T, 2, 2) turns what was drawn hanging down along a bone (T, 2), and stretches it to the bone's length."""
    length = np.hypot(bone[:, 0], bone[:, 1])
    x, y = (bone / length[:, None]).T
    stretch = length / drawn if drawn else 1.0
    turned = np.empty((len(bone), 2, 2))
    turned[:, 0, 0], turned[:, 0, 1], turned[:, 1, 0], turned[:, 1, 1] = y, x * stretch, -x, y * stretch
    return turned


def _arm(joints: Floats, right: int) -> list[tuple[str, Floats, Floats]]:
    shoulder, elbow, wrist = (joints[:, first + right] for first in (1, 3, 5))
    upper = ("upper_arm", _along(elbow - shoulder, TYPICAL.upper_arm), shoulder)
    return [upper, ("forearm", _along(wrist - elbow, TYPICAL.forearm), elbow)]


def _leg(joints: Floats, right: int) -> list[tuple[str, Floats, Floats]]:
    hip, knee, ankle = (joints[:, first + right] for first in (7, 9, 11))
    foot = ("foot", _foot(ankle - knee, -ankle[:, 1]), ankle)
    shin = ("shin", _along(ankle - knee, TYPICAL.shin), knee)
    return [foot, shin, ("thigh", _along(knee - hip, TYPICAL.thigh), hip)]


def _foot(shin: Floats, height: NDArray) -> Floats:
    """(T, 2, 2) turns of a foot: flat on the ground, at a right angle to the shin in the air, stretched behind one who
    lies on his face; toes never dig into the ground."""
    lifted = np.arctan2(shin[:, 0], shin[:, 1])  # of the toes, if the foot is at a right angle to the shin
    planted = np.clip(1 - (height - SOLE) / 0.06, 0, 1) * np.clip((1.2 - np.abs(lifted)) / 0.5, 0, 1)
    lifted = lifted * (1 - planted)
    lifted = np.maximum(lifted, np.arcsin(np.clip((SOLE - height) / _TOE, -1, 0)))
    behind = np.clip((-np.arctan2(shin[:, 0], shin[:, 1]) - 0.9) / 0.5, 0, 1)
    lifted = lifted - behind * (np.pi + 0.1 + lifted)
    cosine, sine = np.cos(lifted), np.sin(lifted)
    turned = np.empty((len(shin), 2, 2))
    turned[:, 0, 0], turned[:, 0, 1], turned[:, 1, 0], turned[:, 1, 1] = cosine, sine, -sine, cosine
    return turned
