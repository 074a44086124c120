"""Colours of a clip, drawn in CIE Lab without looking at the class, so that colour tells nothing about it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float64]  # (3,) RGB in 0 to 255

_LAB_TO_LMS = np.array([[1, 1 / 500, 0], [1, 0, 0], [1, 0, -1 / 200]])  # rows X, Y, Z of CIE 1976
_WHITE = np.array([0.9505, 1.0, 1.089])  # D65
_XYZ_TO_RGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])


@dataclass(frozen=True)
class Palette:
    """The colours of an object. Which is darker is drawn too: dark strings on light wood would be a colour cue."""

    body: Colour
    trim: Colour  # the second material: neck, hoops, frame
    detail: Colour  # strings, keys, holes: stands out against the body
    accent: Colour  # small parts


def rgb(lab: NDArray[np.float64]) -> Colour:
    """(..., 3) Lab to (..., 3) RGB in 0 to 255, clipped to what a screen shows."""
    scaled = np.stack([(lab[..., 0] + 16) / 116, lab[..., 1], lab[..., 2]], axis=-1) @ _LAB_TO_LMS.T
    xyz = np.where(scaled > 6 / 29, scaled**3, 3 * (6 / 29) ** 2 * (scaled - 4 / 29)) * _WHITE
    linear = np.clip(xyz @ _XYZ_TO_RGB.T, 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(255 * coded, np.float64)


def random_lab(
    rng: np.random.Generator, lightness: tuple[float, float], chroma: tuple[float, float]
) -> NDArray[np.float64]:
    """One Lab colour of any hue."""
    radius, hue = rng.uniform(*chroma), rng.uniform(0, 2 * np.pi)
    return np.array([rng.uniform(*lightness), radius * np.cos(hue), radius * np.sin(hue)])


def background_labs(rng: np.random.Generator, *, busy: bool) -> NDArray[np.float64]:
    """(3, 3) Lab: neighbouring colours between which a texture runs, quietly or, if busy, so that it competes with what
    stands before it."""
    base = random_lab(rng, (22, 82), (2, 38))
    spread = rng.normal(0, 1, (2, 3)) * [6, 7, 7] * (rng.uniform(1.5, 2.6) if busy else rng.uniform(0.5, 1.2))
    return np.stack([base, base + spread[0], base + spread[1]])


def object_palette(rng: np.random.Generator, background: NDArray[np.float64]) -> Palette:
    """Colours that stand out against a background's (3,) Lab and against each other."""
    body = _far_from(rng, [(background, 25)], 8)
    trim = _far_from(rng, [(body, 23), (background, 18)], 7)
    # Lighter or darker with equal chance wherever there is room for both.
    offset = rng.uniform(22, 46)
    lighter = rng.random() < 0.5
    if body[0] + offset > 97:
        lighter = False
    elif body[0] - offset < 5:
        lighter = True
    detail = random_lab(rng, (0, 1), (0, 22))
    detail[0] = body[0] + (offset if lighter else -offset)
    accent = _far_from(rng, [(body, 25)], 9)
    return Palette(*rgb(np.stack([body, trim, detail, accent])))


def _far_from(
    rng: np.random.Generator, others: list[tuple[NDArray[np.float64], float]], lightness_gap: float
) -> NDArray[np.float64]:
    """A colour at least so far from others in Lab, and in lightness too: hue alone is lost in a grey image."""
    for _ in range(200):
        colour = random_lab(rng, (12, 92), (6, 62))
        if all(
            np.linalg.norm(colour - other) >= distance and abs(colour[0] - other[0]) >= lightness_gap
            for other, distance in others
        ):
            return colour
    return colour
