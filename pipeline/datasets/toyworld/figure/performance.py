"""A performance: one action by one actor, when it happens, where its joints and its prop are at every moment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from pipeline.datasets.toyworld.figure import actions, skeleton
from pipeline.datasets.toyworld.figure.actions import PROP
from pipeline.datasets.toyworld.figure.skeleton import Floats

GRAVITY = 5.8  # body heights a second squared, for a person of 1.7 m
SEAT_TOP = 0.055  # of the pelvis of someone who sits, above the seat


@dataclass(frozen=True)
class Performance:
    """Units are body heights, x to the right and y down from the ground below the pelvis's first place; the actor
    faces right.

    joints: (T, 13, 2); start, end: seconds between which the action happens: outside, the actor but breathes; prop:
    (T, 2) its centre; prop_visible: (T,) bool, false while it is out of the picture; prop_behind: it is held in the
    far hand; impacts: seconds at which the body hits the ground, for good; seat: (2,) the middle of the top of a seat,
    or None without one.
    """

    joints: Floats
    start: float
    end: float
    prop: Floats
    prop_visible: NDArray[np.bool_]
    prop_behind: bool
    impacts: tuple[float, ...]
    seat: Floats | None


def perform(action: str, times: Floats, rng: np.random.Generator, *, seat: bool) -> Performance:
    """One action at times (T,) seconds, ascending, at least two.

    seat: whether something to sit on stands behind the actor, to be drawn without looking at the action; who sits down
    without one sits on the ground. The prop too is drawn alike whatever the action: held, lying or out of the picture.
    Raises ValueError for an unknown action.
    """
    if action not in actions.SCRIPTS:
        raise ValueError(f"toyworld: no action is called {action!r}; there are {list(actions.ACTIONS)}")
    actor = actions.actor(seat, skeleton.grow(rng), rng)
    place = ("held", "lying", "away")[rng.integers(3)]
    if action not in ("pick_up", "put_down", "throw", "catch") and place == "held":
        actor = actions.bystander(actor)
    script = actions.SCRIPTS[action](actor, rng)
    story = script.prop or place

    start, end, clock, phases = _tempo(times, rng)
    backwards = action in actions.BACKWARDS
    phase = np.interp(times, clock, phases)
    if backwards:
        phase = 1 - phase
    knots, poses = actions.path(actor, script)
    # The last row is the moment at which the prop changes hands.
    pose = PchipInterpolator(knots, poses)(np.append(phase, script.turn))
    _breathe(pose[:-1], times, rng)
    joints = skeleton.joints(actor.bones, pose, actor.strong_right)

    hands = actor.hands if not actor.strong_right else actor.hands[::-1]
    held = np.asarray(np.tensordot(skeleton.grips(joints), np.array(hands), axes=(1, 0)))
    held[:, 1] = np.minimum(held[:, 1], -PROP)
    joints, held, turn = joints[:-1], held[:-1], held[-1]
    changed = float(np.interp(1 - script.turn if backwards else script.turn, phases, clock))
    since = (changed - times) if backwards else (times - changed)
    last = (1 - script.turn) * (end - start)
    prop, visible = _prop(story, held, turn, phase >= script.turn, since, last, rng)

    origin = np.array([joints[0, 7:9, 0].mean(), 0.0])
    stool = None
    if seat:
        x, height = actions.seat_place(actor)
        stool = np.array([x - 0.02, -(height - SEAT_TOP)]) - origin
    impacts = () if script.impact is None else (float(np.interp(script.impact, phases, clock)),)
    near = hands[1] > 0
    return Performance(joints - origin, start, end, prop - origin, visible, not near, impacts, stool)


def _tempo(times: Floats, rng: np.random.Generator) -> tuple[float, float, Floats, Floats]:
    """When an action starts and ends, and its course: phases (64,) in 0 to 1 at the moments of a clock (64,).

    Alike forwards and backwards in time, over all draws: as much time before as after, early haste as likely as late.
    """
    span = float(times[-1] - times[0])
    lasts = min(rng.uniform(0.6, 1.3), 0.75 * span)
    start = float(times[0]) + (span - lasts) * rng.uniform(0.1, 0.9)
    spent = np.linspace(0, 1, 64)
    haste, smoothness = rng.uniform(0.4, 0.6), rng.uniform(0.35, 1.0)
    bent = spent / ((1 / haste - 2) * (1 - spent) + 1)  # Schlick's bias, whose mirror image is that of 1 - haste
    eased = (1 - smoothness) * bent + smoothness * bent**2 * (3 - 2 * bent)
    return start, start + lasts, start + lasts * spent, eased


def _breathe(pose: Floats, times: Floats, rng: np.random.Generator) -> None:
    wave = np.sin(2 * np.pi * (times / rng.uniform(1.8, 3.2) + rng.random()))
    for channel, depth in (("lean", 0.008), ("strong_arm", 0.012), ("weak_arm", 0.012)):
        pose[:, skeleton.CHANNELS.index(channel)] += depth * wave


def _prop(
    story: str,
    held: Floats,
    turn: Floats,
    later: NDArray[np.bool_],
    since: Floats,
    last: float,
    rng: np.random.Generator,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Where the prop is (T, 2) and whether it is in the picture (T,). held: (T, 2) where the hands would hold it; turn:
    (2,) where they grasp or release it; later: (T,) whether that has happened on the path; since: (T,) seconds since
    then; last: seconds that the actor still moves after that."""
    seen = np.ones(len(held), bool)
    aside = rng.choice([-1, 1]) * rng.uniform(0.35, 0.55)
    speed, lob = rng.uniform(1.9, 2.4) / last, rng.uniform(0.1, 0.5)
    if story == "held":
        return held, seen
    if story == "lying":
        return np.tile([aside, -PROP], (len(held), 1)), seen
    if story == "away":
        return np.tile([4.0, -1.0], (len(held), 1)), ~seen
    if story == "picked":
        return np.where(later[:, None], held, [turn[0], -PROP]), seen
    # As high a throw as keeps it above the ground until the actor is done, by when it has left most pictures.
    flown = np.maximum(since, 0)
    rise = max(lob, (turn[1] + 2 * PROP) / last + 0.5 * GRAVITY * last)
    flight = turn + np.stack([speed * flown, 0.5 * GRAVITY * flown**2 - rise * flown], axis=1)
    return np.where(later[:, None], flight, held), ~later | (flight[:, 1] < -PROP)
