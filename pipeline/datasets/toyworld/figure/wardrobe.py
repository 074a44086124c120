"""What an actor looks like: skin, hair, clothes and their patterns, and what it carries, drawn for one clip."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld.palette import random_lab, rgb

Floats = NDArray[np.float64]

# What a pixel of a sprite is made of; 0 is nothing.
MATERIALS = ("nothing", "skin", "hair", "eye", "shirt", "trousers", "shoe", "hat", "prop", "prop_mark", "seat", "legs")
# From pale to dark, CIE Lab.
_SKIN = np.array([[82.0, 8.0, 16.0], [72.0, 13.0, 21.0], [58.0, 16.0, 26.0], [44.0, 15.0, 22.0], [31.0, 11.0, 14.0]])


@dataclass(frozen=True)
class Outfit:
    """colours: (2, materials, 3) RGB in 0 to 255, the second where a pattern is on; patterns: of shirt and trousers,
    from coordinates in body heights to whether it is on; the rest says which parts are drawn how."""

    colours: Floats
    patterns: dict[str, Callable[[NDArray, NDArray], NDArray[np.bool_]]]
    girth: float  # of limbs, relative
    stature: float  # of the head, relative
    sleeve: float  # share of the arm that the shirt covers
    leg: float  # share of the leg that the trousers cover
    skirt: bool
    hem: float  # how far the shirt reaches below the hips
    headgear: str  # short, long, bun, cap, hat
    prop: str  # ball, box, bottle
    seat: str  # stool, box


def outfit(background: Floats, rng: np.random.Generator) -> Outfit:
    """background: (3,) Lab, from which clothes and hair stand out in lightness."""
    far = background[0]
    shirt = _apart(rng, [far], 24)
    trousers = _apart(rng, [far, shirt[0]], 18)
    skin = _skin(rng)
    hair = _apart(rng, [skin[0]], 22, chroma=(0, 30))
    hat = _apart(rng, [skin[0], far], 18)
    shoe = _apart(rng, [trousers[0], far], 14, chroma=(0, 40))
    prop, seat = _apart(rng, [far], 24), _apart(rng, [trousers[0], far], 16, chroma=(4, 40))
    mark = _apart(rng, [prop[0]], 28)
    eye = np.array([15.0 if skin[0] > 40 else 90.0, 0.0, 0.0])
    nothing = np.zeros(3)
    labs = np.stack([nothing, skin, hair, eye, shirt, trousers, shoe, hat, prop, mark, seat, seat - [10, 0, 0]])
    second = labs.copy()
    for name in ("shirt", "trousers"):
        place = MATERIALS.index(name)
        shift = rng.uniform(16, 38) * (1 if labs[place, 0] < 50 else -1)
        second[place] += [shift, *rng.normal(0, 16, 2)]
    return Outfit(
        colours=rgb(np.stack([labs, second])),
        patterns={"shirt": _pattern(rng, 0.3), "trousers": _pattern(rng, 0.75)},
        girth=rng.uniform(0.86, 1.22),
        stature=rng.uniform(0.92, 1.12),
        sleeve=float(rng.choice([0.28, 0.5, 0.88])),
        leg=float(rng.choice([0.34, 0.55, 0.9, 0.9, 0.9])),
        skirt=bool(rng.random() < 0.2),
        hem=rng.uniform(0.02, 0.06),
        headgear=str(rng.choice(["short", "long", "bun", "cap", "hat"])),
        prop=str(rng.choice(["ball", "box", "bottle"])),
        seat=str(rng.choice(["stool", "box"])),
    )


def _skin(rng: np.random.Generator) -> Floats:
    place = rng.uniform(0, len(_SKIN) - 1.001)
    first = int(place)
    return np.asarray(_SKIN[first] + (place - first) * (_SKIN[first + 1] - _SKIN[first]) + rng.normal(0, 1, 3))


def _apart(
    rng: np.random.Generator, lightnesses: list[float], gap: float, chroma: tuple[float, float] = (8, 60)
) -> Floats:
    """A colour that differs from others in lightness by a gap, or of a few draws the one that comes nearest to that."""
    best, margin = np.zeros(3), -1.0
    for _ in range(12):
        lab = random_lab(rng, (14, 92), chroma)
        least = min(abs(lab[0] - other) for other in lightnesses)
        if least > margin:
            best, margin = lab, least
        if margin >= gap:
            break
    return best


def _pattern(rng: np.random.Generator, plain: float) -> Callable[[NDArray, NDArray], NDArray[np.bool_]]:
    period, share = rng.uniform(0.065, 0.11), rng.uniform(0.35, 0.6)
    kind = rng.choice(["plain", "hoops", "stripes", "checks", "dots"], p=[plain, *((1 - plain) / 4,) * 4])
    if kind == "hoops":
        return lambda x, y: y % period < share * period
    if kind == "stripes":
        return lambda x, y: x % period < share * period
    if kind == "checks":
        return lambda x, y: (x % period < 0.5 * period) ^ (y % period < 0.5 * period)
    if kind == "dots":
        return lambda x, y: (x % period - 0.5 * period) ** 2 + (y % period - 0.5 * period) ** 2 < (0.3 * period) ** 2
    return lambda x, y: np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
