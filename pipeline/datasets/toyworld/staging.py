"""Who is in a clip and where: an actor beside a main object, at times others, at times something that happens for good.

Places, colours and sizes look neither at the object's class nor at the action. Coordinates are the world's: pixels,
centred on the middle of the background.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld import events, figure, motion, objects
from pipeline.datasets.toyworld.classes import CLASSES
from pipeline.datasets.toyworld.palette import object_palette
from pipeline.datasets.toyworld.warp import Layer

Floats = NDArray[np.float64]
_HEADROOM = 1.42  # body heights above the ground that the highest jump takes
_HALF_WAY = 0.6  # body heights to either side that a fall takes


@dataclass(frozen=True)
class Thing:
    """label: a class of objects, or actor, prop, seat, smoke, splash; role: main, other, twin (a silent, still double
    of the main one's class), actor or event (all that is neither object nor actor); degrees: from upright, clockwise,
    before anything moves."""

    label: str
    role: str
    sounding: bool = False
    degrees: float = 0.0


@dataclass(frozen=True)
class Setting:
    """What all of a clip is drawn for. times: (T,) seconds of the frames; side: pixels of the frame; light: where it
    comes from, radians; ground: (3,) Lab of the background, that everything stands out from."""

    times: Floats
    side: int
    light: float
    ground: Floats


@dataclass(frozen=True)
class Staged:
    """things: each layer's `instance` is a place among them; groups: layers from back to front, of which each group
    casts one shadow; joints: (T, 13, 2); start, end: seconds between which the actor acts; event: smoke, splash, drop
    or None."""

    things: tuple[Thing, ...]
    groups: list[list[Layer]]
    joints: Floats
    start: float
    end: float
    event: str | None


def stage(
    label: str, action: str, hard: bool, played: motion.Strokes, setting: Setting, rng: np.random.Generator
) -> Staged:
    """label: of the main object; hard: cluttered, with a twin; played: the strokes at which the main object moves."""
    side, times = setting.side, setting.times
    way = rng.choice([-1.0, 1.0])  # the side on which the actor stands
    large = rng.uniform(0.44, 0.56) if rng.random() < 0.85 else rng.uniform(0.32, 0.46)
    size = (rng.uniform(0.30, 0.37) if hard else large) * side
    main, main_layer, at = _main(label, played, size, -way, setting, rng)

    height = (rng.uniform(0.36, 0.42) if hard else rng.uniform(0.46, 0.60)) * side
    aside = min(rng.uniform(0.21, 0.28) * side, 0.5 * side - _HALF_WAY * height)
    feet = np.array([way * aside, rng.uniform(_HEADROOM * height - 0.47 * side, 0.45 * side)])
    actors, actor_layers, performance, joints = _actor(action, height, feet, setting, rng)

    event = str(rng.choice(events.EVENTS)) if rng.random() < 0.2 else None
    # It may have begun before the clip: what fades would else be seen late rather than early.
    moment = rng.uniform(-1.0 if event in ("smoke", "splash") else 0.1, 1.0) * float(times[-1])
    taken = [(at, size), (feet - [0, 0.45 * height], 0.8 * height)]
    cast: list[tuple[list[Thing], list[Layer]]] = []
    companions = _companions(label, hard, event == "drop", rng)
    for number, (other, role) in enumerate(companions, start=1):
        # The last: a twin, which comes first, stands still.
        falls = moment if event == "drop" and number == len(companions) else None
        thing, layer, place = _still(other, role, falls, taken, setting, rng)
        cast.append(([thing], [layer]))
        taken.append(place)
    # Actor and main object hardly meet; who covers whom where they do is drawn.
    pair = [([main], [main_layer]), (actors, actor_layers)]
    cast += pair if rng.random() < 0.5 else pair[::-1]
    if event in ("smoke", "splash"):
        happening = events.smoke if event == "smoke" else events.splash
        cast.append(
            ([Thing(event, "event")], [Layer(*one[:2], 0, one[2]) for one in happening(times, moment, side, rng)])
        )

    things: list[Thing] = []
    groups = []
    for members, layers in cast:
        groups.append([replace(layer, instance=layer.instance + len(things)) for layer in layers])
        things += members
    return Staged(tuple(things), groups, joints, performance.start, performance.end, event)


def _main(
    label: str, played: motion.Strokes, size: float, way: float, setting: Setting, rng: np.random.Generator
) -> tuple[Thing, Layer, Floats]:
    """way: the side on which it stands, -1 or 1."""
    side = setting.side
    sprite = objects.draw(label, object_palette(rng, setting.ground), size, setting.light, rng)
    # Aside, and at any height, as long as all of it stays within a still frame.
    reach = np.clip(0.47 * side - np.abs(sprite.hull).max(axis=0), 0.02 * side, 0.2 * side)
    at = np.array([way * min(reach[0], rng.uniform(0.15, 0.22) * side), rng.uniform(-reach[1], reach[1])])
    degrees = rng.uniform(-25, 25)
    gesture = motion.gesture(rng)
    swing = gesture.displacement(setting.times, played)
    poses = motion.similarity(
        at + swing[:, None] * gesture.move * side,
        np.deg2rad(degrees) + swing * gesture.turn,
        1 + swing * gesture.stretch,
    )
    return Thing(label, "main", True, degrees), Layer(sprite, poses, 0), at


def _actor(
    action: str, height: float, feet: Floats, setting: Setting, rng: np.random.Generator
) -> tuple[list[Thing], list[Layer], figure.Performance, Floats]:
    """The actor, and the prop and seat that it may have; its layers, its performance, its joints (T, 13, 2)."""
    mirrored = bool(rng.random() < 0.5)
    performance = figure.perform(action, setting.times, rng, seat=bool(rng.random() < 0.5))
    body = figure.dress(height, setting.ground, np.pi - setting.light if mirrored else setting.light, rng)
    things, layers = [Thing("actor", "actor")], []
    places: dict[str, int] = {}
    for sprite, poses in figure.layers(body, performance, feet, mirrored):
        name = next((name for name in ("prop", "seat") if body.parts[name].sprite is sprite), "actor")
        if name != "actor":
            places[name] = len(things)
            things.append(Thing(name, "event"))
        layers.append(Layer(sprite, poses, places.get(name, 0)))
    return things, layers, performance, figure.pixels(body, performance, feet, mirrored)


def _companions(label: str, hard: bool, some: bool, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Labels and roles of what stands about; some: at least one."""
    others = list(rng.permutation([name for name in CLASSES if name != label]))
    if hard:
        return [(label, "twin"), *((str(name), "other") for name in others[: rng.integers(1, 3)])]
    count = int(rng.choice(4, p=[0.5, 0.32, 0.1, 0.08]))
    return [(str(name), "other") for name in others[: max(count, int(some))]]


def _still(
    label: str,
    role: str,
    falls: float | None,
    taken: list[tuple[Floats, float]],
    setting: Setting,
    rng: np.random.Generator,
) -> tuple[Thing, Layer, tuple[Floats, float]]:
    """A silent object where there is most room between what is taken: centres and extents; falls: the second at which
    it drops, for good, from a little above that place."""
    side, times = setting.side, setting.times
    size = (rng.uniform(0.28, 0.35) if role == "twin" else rng.uniform(0.17, 0.25)) * side
    sprite = objects.draw(label, object_palette(rng, setting.ground), size, setting.light, rng)
    reach = 0.46 * side - np.abs(sprite.hull).max(axis=0)
    places = rng.uniform(-reach, reach, (24, 2))
    room = [min(np.linalg.norm(place - centre) - 0.5 * (size + extent) for centre, extent in taken) for place in places]
    at = places[int(np.argmax(room))]
    centres = np.tile(at, (len(times), 1))
    if falls is not None:
        height = rng.uniform(0.12, 0.25) * side
        centres[:, 1] += events.drop(times, falls, height, side) - height
    degrees = rng.uniform(-25, 25)
    poses = motion.similarity(centres, np.full(len(times), np.deg2rad(degrees)), np.ones(len(times)))
    return Thing(label, role, False, degrees), Layer(sprite, poses, 0), (at, size)
