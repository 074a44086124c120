"""The actor's bones: from a pose's channels to thirteen joints, with arms turned by angle and legs that reach for the
ground. Lengths are in body heights; inside this file z is the height above the ground, outside y runs down.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

JOINTS: tuple[str, ...] = (
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
# Seen from the other side, what was the right hand is the left one.
MIRRORED: tuple[int, ...] = (0, *(place + (1 if place % 2 else -1) for place in range(1, len(JOINTS))))

# What a pose says. Angles in radians; an arm's is measured from hanging down, forwards positive, an elbow's from
# straight; "lean" turns the torso forwards, "topple" the whole body about its feet; "air" lifts everything.
CHANNELS: tuple[str, ...] = (
    "x",
    "height",
    "lean",
    "nod",
    "strong_arm",
    "strong_elbow",
    "weak_arm",
    "weak_elbow",
    "strong_foot_x",
    "strong_foot_z",
    "weak_foot_x",
    "weak_foot_z",
    "topple",
    "air",
    "slide",
)

SOLE = 0.035  # of an ankle above the ground
GRIP = 0.065  # from a wrist to the middle of what the hand holds
_STRAIGHT = 0.998  # of a leg's length, the farthest an ankle gets from its hip: a knee never locks

# Half the thickness of the flesh around each joint, so that nobody lies in the ground.
_FLESH = np.array([0.09, *(0.055,) * 2, *(0.03,) * 4, *(0.06,) * 2, *(0.045,) * 2, *(SOLE,) * 2])


@dataclass(frozen=True)
class Bones:
    """Lengths in body heights; shoulders and hips are half of the width seen, which is that of a body turned a
    quarter towards the viewer."""

    torso: float
    neck: float  # from between the shoulders to the middle of the head
    upper_arm: float
    forearm: float
    thigh: float
    shin: float
    shoulders: float
    hips: float


TYPICAL = Bones(0.30, 0.13, 0.158, 0.148, 0.224, 0.216, 0.05, 0.03)  # what the limbs are drawn for


def grow(rng: np.random.Generator) -> Bones:
    """Bones of a new actor that add up to one body height."""
    legs, neck = rng.uniform(0.42, 0.46), rng.uniform(0.122, 0.138)
    arm = rng.uniform(0.29, 0.325)
    return Bones(
        torso=1 - 0.1 - SOLE - legs - neck,
        neck=neck,
        upper_arm=0.515 * arm,
        forearm=0.485 * arm,
        thigh=0.51 * legs,
        shin=0.49 * legs,
        shoulders=rng.uniform(0.04, 0.06),
        hips=rng.uniform(0.024, 0.034),
    )


def joints(bones: Bones, pose: Floats, strong_right: bool) -> Floats:
    """(T, 13, 2) x to the right, y down, of an actor who faces right; pose: (T, channels); strong_right: which limbs
    are the strong ones. The right side is the one towards the viewer."""
    (x, height, lean, nod, strong_arm, strong_elbow, weak_arm, weak_elbow, *feet, topple, air, slide) = pose.T
    pelvis = np.stack([x, height], axis=1)
    up = np.stack([np.sin(lean), np.cos(lean)], axis=1)
    forwards = np.stack([up[:, 1], -up[:, 0]], axis=1)
    neck = pelvis + bones.torso * up
    out = np.empty((len(pose), len(JOINTS), 2))
    out[:, 0] = neck + bones.neck * np.stack([np.sin(lean + nod), np.cos(lean + nod)], axis=1)
    limbs = ((strong_arm, strong_elbow, feet[0], feet[1]), (weak_arm, weak_elbow, feet[2], feet[3]))
    for (arm, elbow, foot_x, foot_z), right in zip(limbs, (strong_right, not strong_right), strict=True):
        side = -1 if right else 1
        shoulder = neck + side * bones.shoulders * forwards
        hip = pelvis + [side * bones.hips, 0]
        bend = shoulder + bones.upper_arm * _hanging(arm)
        knee, ankle = _leg(bones, hip, np.stack([foot_x + side * bones.hips, foot_z], axis=1))
        for first, point in ((1, shoulder), (3, bend), (5, bend + bones.forearm * _hanging(arm + elbow))):
            out[:, first + right] = point
        for first, point in ((7, hip), (9, knee), (11, ankle)):
            out[:, first + right] = point
    cosine, sine = np.cos(topple)[:, None], np.sin(topple)[:, None]
    fallen_x = out[..., 0] * cosine + out[..., 1] * sine + slide[:, None]
    fallen_z = out[..., 1] * cosine - out[..., 0] * sine + air[:, None]
    fallen_z += np.maximum((_FLESH - fallen_z).max(axis=1), 0)[:, None]
    return np.stack([fallen_x, -fallen_z], axis=2)


def grips(placed: Floats) -> Floats:
    """(T, 2, 2) where the left and the right hand hold something, given joints (T, 13, 2)."""
    forearm = placed[:, 5:7] - placed[:, 3:5]
    return np.asarray(placed[:, 5:7] + GRIP * forearm / np.linalg.norm(forearm, axis=2, keepdims=True))


def reach(bones: Bones, shoulder: Floats, target: Floats) -> tuple[float, float]:
    """The arm's and the elbow's angles that bring the grip to a target; both (2,) as x and height. The arm is
    stretched where the target is out of reach."""
    fore = bones.forearm + GRIP
    offset = target - shoulder
    distance = float(np.clip(np.linalg.norm(offset), abs(bones.upper_arm - fore) + 1e-6, bones.upper_arm + fore - 1e-6))
    inner = np.arccos((bones.upper_arm**2 + distance**2 - fore**2) / (2 * bones.upper_arm * distance))
    outer = np.arccos((fore**2 + distance**2 - bones.upper_arm**2) / (2 * fore * distance))
    return float(np.arctan2(offset[0], -offset[1]) - inner), float(inner + outer)


def _hanging(angle: Floats) -> Floats:
    return np.stack([np.sin(angle), -np.cos(angle)], axis=1)


def _leg(bones: Bones, hip: Floats, foot: Floats) -> tuple[Floats, Floats]:
    """Knee and ankle, the knee in front; a foot out of reach comes as near as the leg is long."""
    along = foot - hip
    length = np.linalg.norm(along, axis=1, keepdims=True)
    distance = np.clip(length, 0.35 * bones.thigh, _STRAIGHT * (bones.thigh + bones.shin))
    along = along / np.maximum(length, 1e-9)
    cosine = (bones.thigh**2 + distance**2 - bones.shin**2) / (2 * bones.thigh * distance)
    front = np.stack([-along[:, 1], along[:, 0]], axis=1)
    knee = hip + bones.thigh * (cosine * along + np.sqrt(1 - cosine**2) * front)
    return knee, hip + distance * along
