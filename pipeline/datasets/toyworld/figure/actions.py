"""The ten actions as key poses along a phase from 0 to 1. Three are another one's path walked backwards: standing up,
putting down and catching. So a pair shares every pose, and what lies or is held in each, and differs in order alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.toyworld.figure.skeleton import CHANNELS, SOLE, Bones, Floats, reach

PROP = 0.065  # radius of what is held or lies about, in body heights
BACKWARDS = {"stand_up": "sit_down", "put_down": "pick_up", "catch": "throw"}

Pose = dict[str, float]


@dataclass(frozen=True)
class Actor:
    """What an instance does everything with: bones; strong_right: whether the strong limbs are the right ones, which
    are nearer to the viewer; rest: how it stands; carry: the arms that hold something, as changes to rest; hands: the
    shares of the strong and the weak hand in holding it; seat: whether there is one behind it."""

    bones: Bones
    strong_right: bool
    rest: Pose
    carry: Pose
    hands: tuple[float, float]
    seat: bool


@dataclass(frozen=True)
class Script:
    """A path: keys (phase, what differs from the rest pose), ascending from phase 0 to 1, and each key is all there is
    at its phase. prop: what the action does with it: "picked" (it lies, then is held), "thrown" (held, then away) or
    nothing; turn: the phase at which that happens; impact: the phase at which the body hits the ground."""

    keys: list[tuple[float, Pose]]
    prop: str | None = None
    turn: float = 0.5
    impact: float | None = None


def actor(seat: bool, bones: Bones, rng: np.random.Generator) -> Actor:
    """A stance, a way to carry things; nothing of it looks at the action."""
    strong_right = bool(rng.random() < 0.5)
    apart = rng.choice([-1, 1]) * rng.uniform(0.05, 0.15)
    rest: Pose = dict.fromkeys(CHANNELS, 0.0)
    rest |= {"strong_foot_x": apart / 2, "weak_foot_x": -apart / 2, "strong_foot_z": SOLE, "weak_foot_z": SOLE}
    rest["height"] = SOLE + (bones.thigh + bones.shin) * rng.uniform(0.955, 0.985)
    rest |= {"x": rng.uniform(-0.02, 0.02), "lean": rng.uniform(-0.02, 0.12), "nod": rng.uniform(-0.1, 0.15)}
    for arm in ("strong", "weak"):
        rest |= {f"{arm}_arm": rng.uniform(-0.2, 0.2), f"{arm}_elbow": rng.uniform(0.1, 0.45)}
    style = rng.integers(3)
    if style == 0:  # in both hands before the belly
        angle, elbow = rng.uniform(0.1, 0.5), rng.uniform(1.1, 1.5)
        carry = {"strong_arm": angle, "strong_elbow": elbow, "weak_arm": angle, "weak_elbow": elbow}
    elif style == 1:  # hanging
        carry = {"strong_arm": rng.uniform(0.0, 0.35), "strong_elbow": rng.uniform(0.1, 0.4)}
    else:
        carry = {"strong_arm": rng.uniform(-0.1, 0.3), "strong_elbow": rng.uniform(1.1, 1.8)}
    return Actor(bones, strong_right, rest, carry, (0.5, 0.5) if style == 0 else (1.0, 0.0), seat)


def bystander(actor: Actor) -> Actor:
    """The actor with the prop in the weak hand all the while, since the strong one acts."""
    names = {"strong_arm": "weak_arm", "strong_elbow": "weak_elbow"}
    held = {names[name]: value for name, value in actor.carry.items() if name in names}
    return replace(actor, rest=actor.rest | held, carry={}, hands=(0.0, 1.0))


def sit(actor: Actor, rng: np.random.Generator) -> Script:
    """Bends forwards and lowers itself onto the seat, or onto the ground where there is none."""
    down: Pose
    if actor.seat:
        back, height = seat_place(actor)
        half = {"x": 0.6 * back, "height": 0.62 * height + 0.38 * actor.rest["height"], "lean": rng.uniform(0.6, 0.9)}
        down = {"x": back, "height": height, "lean": rng.uniform(-0.05, 0.2)}
        hands = (rng.uniform(0.2, 0.5), rng.uniform(0.6, 1.0))
    else:
        half = {"x": -0.2, "height": rng.uniform(0.22, 0.27), "lean": rng.uniform(0.5, 0.8)}
        down = {"x": -rng.uniform(0.26, 0.33), "height": 0.07, "lean": rng.uniform(-0.25, 0.1)}
        hands = (rng.uniform(0.5, 0.9), rng.uniform(0.4, 0.8))
    forwards = rng.uniform(0.3, 1.1)
    half |= {"strong_arm": forwards, "strong_elbow": 0.3, "weak_arm": forwards - 0.1, "weak_elbow": 0.3}
    down |= {"strong_arm": hands[0], "strong_elbow": hands[1], "weak_arm": hands[0] + 0.1, "weak_elbow": hands[1]}
    return Script([(0.0, {}), (rng.uniform(0.48, 0.58), half), (1.0, down)])


def seat_place(actor: Actor) -> tuple[float, float]:
    """Where the pelvis comes to when it sits on the seat: x and height, so that the shins stand upright."""
    return -0.98 * actor.bones.thigh, actor.bones.shin + SOLE + 0.02


def pick(actor: Actor, rng: np.random.Generator) -> Script:
    """Bends or squats to what lies before the feet, grasps it, rises with it."""
    squat = rng.uniform(0, 1)
    height = 0.375 - 0.125 * squat
    over = rng.uniform(0.26, 0.30) + PROP  # of the shoulders above the ground, within the arms' reach
    lean = float(np.arccos(np.clip((over - height) / actor.bones.torso, -0.4, 0.6)))
    x = -rng.uniform(0.03, 0.08) - 0.06 * squat
    neck = np.array([x, height]) + actor.bones.torso * np.array([np.sin(lean), np.cos(lean)])
    target = np.array([neck[0] + rng.uniform(-0.02, 0.1), PROP])
    grasp = {"x": x, "height": height, "lean": lean, "nod": -rng.uniform(0.2, 0.7)}
    across = actor.bones.shoulders * np.array([np.cos(lean), -np.sin(lean)]) * (-1 if actor.strong_right else 1)
    grasp["strong_arm"], grasp["strong_elbow"] = reach(actor.bones, neck + across, target)
    if actor.hands[1]:
        grasp["weak_arm"], grasp["weak_elbow"] = reach(actor.bones, neck - across, target)
    else:
        grasp |= {"weak_arm": rng.uniform(-0.4, 0.0), "weak_elbow": rng.uniform(1.2, 1.7)}
    low, high = rng.uniform(0.42, 0.48), rng.uniform(0.52, 0.58)
    return Script([(0.0, {}), (low, grasp), (0.5, grasp), (high, grasp), (1.0, actor.carry)], "picked")


def throw(actor: Actor, rng: np.random.Generator) -> Script:
    """Draws the prop back and lets it go forwards: from beside the head, from the chest or from below."""
    style = rng.integers(3)
    back = [(2.5, 1.7), (-0.45, 2.3), (-0.2, 0.6) if actor.hands[1] else (-0.8, 0.25)][style]
    free = [(1.95, 0.25), (1.45, 0.15), (1.15, 0.15)][style]
    more = [(1.2, 0.3), (1.25, 0.15), (1.7, 0.3)][style]
    turn = rng.normal(0, 0.12)
    drawn: Pose = {"x": -0.03, "lean": actor.rest["lean"] - rng.uniform(0.05, 0.25)}
    loose: Pose = {"x": rng.uniform(0.02, 0.07), "lean": actor.rest["lean"] + rng.uniform(0.1, 0.3)}
    after = loose | {"x": 0.03}
    for key, (arm, elbow) in ((drawn, back), (loose, free), (after, more)):
        key["height"] = actor.rest["height"] - 0.02
        key |= {"strong_arm": arm + turn, "strong_elbow": elbow}
        if actor.hands[1]:
            key |= {"weak_arm": arm + turn, "weak_elbow": elbow}
        else:
            key |= {"weak_arm": 0.6 if key is drawn else -0.4, "weak_elbow": 0.5}
    gather, freed, follow = rng.uniform(0.22, 0.27), rng.uniform(0.40, 0.45), rng.uniform(0.56, 0.66)
    return Script([(0.0, actor.carry), (gather, drawn), (freed, loose), (follow, after), (1.0, {})], "thrown", freed)


def jump(actor: Actor, rng: np.random.Generator) -> Script:
    """Crouches, flies, lands, comes upright."""
    standing, arms = actor.rest["height"], rng.uniform(1.6, 2.9)
    rise, tuck, bend = rng.uniform(0.18, 0.34), rng.uniform(0.0, 0.14), rng.uniform(0.09, 0.16)
    crouch = {"height": standing - bend, "lean": 0.2 + 2.5 * bend, "x": -0.03} | _arms(-0.7, 0.3)
    landing = {"height": standing - 0.8 * bend, "lean": 0.15 + 2.0 * bend, "x": -0.02} | _arms(0.7, 0.5)
    keys: list[tuple[float, Pose]] = [(0.0, {}), (rng.uniform(0.16, 0.22), crouch)]
    for place in np.linspace(0, 1, 7):
        flight = float(4 * place * (1 - place))
        air = {
            "air": rise * flight,
            "strong_foot_z": SOLE + tuck * flight,
            "weak_foot_z": SOLE + tuck * flight,
            "height": actor.bones.thigh + actor.bones.shin + SOLE - 0.04 * (1 - flight),
            "lean": 0.05,
        }
        keys.append((0.34 + 0.38 * float(place), air | _arms(arms * (0.55 + 0.45 * flight), 0.2)))
    return Script([*keys, (rng.uniform(0.8, 0.85), landing), (1.0, {})])


def wave(actor: Actor, rng: np.random.Generator) -> Script:
    """Lifts the strong arm and swings its forearm about the upright two or three times."""
    swings = int(rng.integers(4, 7))  # to and fro
    arm, width = rng.uniform(2.1, 2.7), rng.uniform(0.45, 0.7)
    keys: list[tuple[float, Pose]] = [(0.0, {})]
    for place in range(swings + 1):
        angle = np.pi + (width if place % 2 else -width) + rng.normal(0, 0.05)
        raised = {"strong_arm": arm + 0.12 * (-1) ** place, "strong_elbow": angle - arm, "lean": 0.0}
        keys.append((0.2 + 0.6 * place / swings, raised))
    return Script([*keys, (1.0, {})])


def kick(actor: Actor, rng: np.random.Generator) -> Script:
    """Swings the strong leg back, then forwards and up, then sets it down."""
    aim, far = rng.uniform(0.75, 1.3), actor.bones.thigh + actor.bones.shin
    hip = actor.rest["height"]
    back = {"strong_foot_x": -0.27, "strong_foot_z": rng.uniform(0.12, 0.22), "lean": 0.15, "x": -0.01}
    kicked = {
        "strong_foot_x": far * np.sin(aim),
        "strong_foot_z": hip - far * np.cos(aim),
        "lean": -0.12 - 0.22 * aim,
        "x": 0.02,
    }
    passing = {"strong_foot_x": 0.1, "strong_foot_z": 0.08, "lean": -0.05}
    for key, swing in ((back, 0.7), (passing, 0.1), (kicked, -0.7)):
        key |= {"strong_arm": swing, "strong_elbow": 0.5, "weak_arm": -swing * 1.2, "weak_elbow": 0.5}
    reached = rng.uniform(0.48, 0.55)
    return Script([(0.0, {}), (0.26, back), (reached - 0.1, passing), (reached, kicked), (1.0, {})])


def fall(actor: Actor, rng: np.random.Generator) -> Script:
    """Loses its feet and topples faster and faster, lands on its front or back, rebounds a little, lies."""
    # Not onto the seat, which is drawn without looking at the action.
    way = 1.0 if actor.seat or rng.random() < 0.5 else -1.0
    flat, slide = way * rng.uniform(1.42, 1.6), -way * rng.uniform(0.42, 0.58)
    down = 0.72
    lying: Pose = {"lean": 0.0, "height": actor.bones.thigh + actor.bones.shin + SOLE - 0.01, "nod": -0.1}
    if way > 0:
        lying |= {"strong_arm": rng.uniform(2.7, 3.1), "strong_elbow": 0.1, "weak_arm": rng.uniform(2.6, 3.0)}
    else:
        drawn_up = rng.uniform(0.05, 0.2)
        lying |= {"strong_arm": rng.uniform(1.0, 2.9), "strong_elbow": rng.uniform(0.2, 0.8)}
        lying |= {"weak_arm": rng.uniform(2.0, 2.9), "weak_elbow": 0.2}
        lying |= {"strong_foot_z": SOLE + drawn_up, "strong_foot_x": 0.3 * drawn_up}
    stagger = {"lean": way * 0.12, "height": actor.rest["height"] - 0.03} | _arms(1.1, 0.4)
    keys: list[tuple[float, Pose]] = [(0.0, {}), (0.15, stagger)]
    for place in np.linspace(0.2, 1, 5):
        part = float(place)
        bent = {name: (1 - part) * stagger.get(name, actor.rest[name]) + part * end for name, end in lying.items()}
        bent["height"] -= 0.12 * float(np.sin(np.pi * part))
        bent |= {"topple": flat * part**2.0, "slide": slide * part}
        keys.append((0.15 + (down - 0.15) * part, bent))
    rest = lying | {"topple": flat, "slide": slide}
    hop = rest | {"topple": flat - way * rng.uniform(0.04, 0.1)}
    return Script([*keys, (0.8, hop), (0.88, rest), (1.0, rest)], impact=down)


def _arms(arm: float, elbow: float) -> Pose:
    return {"strong_arm": arm, "strong_elbow": elbow, "weak_arm": 0.92 * arm, "weak_elbow": elbow}


SCRIPTS: dict[str, Callable[[Actor, np.random.Generator], Script]] = {
    "sit_down": sit,
    "stand_up": sit,
    "pick_up": pick,
    "put_down": pick,
    "throw": throw,
    "catch": throw,
    "jump": jump,
    "wave": wave,
    "kick": kick,
    "fall": fall,
}
ACTIONS: tuple[str, ...] = tuple(SCRIPTS)


def path(actor: Actor, script: Script) -> tuple[Floats, Floats]:
    """Phases (K,) and the poses at them (K, channels)."""
    poses = [[(actor.rest | changes)[name] for name in CHANNELS] for _, changes in script.keys]
    return np.array([phase for phase, _ in script.keys]), np.array(poses)
