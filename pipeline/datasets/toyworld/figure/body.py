"""The actor's body as sprites: limbs, torso, head, what it carries and sits on, drawn once a clip on one sheet."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld.figure.actions import PROP
from pipeline.datasets.toyworld.figure.skeleton import SOLE, TYPICAL, Floats
from pipeline.datasets.toyworld.figure.wardrobe import MATERIALS, Outfit, outfit
from pipeline.datasets.toyworld.objects import Sprite
from pipeline.datasets.toyworld.shapes import Points, ellipse, rectangle, smooth, tube

SEAT_HEIGHT = 0.216  # that the seat is drawn with, in body heights

# Sprites have more pixels than are shown, so that turning them does not blur; the sheet has more still.
_FINENESS = 1.4
_OVERSAMPLING = 3
_GAP = 6  # pixels of the sheet's sprites between parts: transparent, so that warping never smears a border

Fill = tuple[str, Points]

# left, top, right, bottom of each part's cell about its origin, in body heights. A limb hangs from its origin, a torso
# and a head stand on theirs, a foot points right.
_CELLS: dict[str, tuple[float, float, float, float]] = {
    "head": (-0.16, -0.19, 0.17, 0.17),
    "torso": (-0.18, -0.38, 0.18, 0.17),
    "upper_arm": (-0.06, -0.06, 0.06, 0.22),
    "forearm": (-0.06, -0.05, 0.06, 0.25),
    "thigh": (-0.09, -0.08, 0.09, 0.30),
    "shin": (-0.07, -0.07, 0.07, 0.28),
    "foot": (-0.06, -0.05, 0.13, 0.045),
    "prop": (-0.085, -0.1, 0.085, 0.085),
    "seat": (-0.17, -0.02, 0.17, 0.23),
}


@dataclass(frozen=True)
class Part:
    """sprite: what objects.draw gives; origin: (2,) where the joint it hangs from is, in pixels from the sprite's
    centre."""

    sprite: Sprite
    origin: Floats


@dataclass(frozen=True)
class Body:
    """height: pixels of the whole figure; scale: pixels of a sprite for one body height; parts: by name."""

    height: float
    scale: float
    parts: dict[str, Part]


def dress(height: float, background: Floats, light: float, rng: np.random.Generator) -> Body:
    """A new actor's body.

    height: pixels; background: (3,) Lab, that clothes stand out from; light: where the light comes from, an angle in
    radians, as seen on the picture (whoever mirrors the figure mirrors that too: pi - light).
    """
    look = outfit(background, rng)
    scale = _FINENESS * height
    fine = _OVERSAMPLING * scale
    shapes = dict(_shapes(look, rng))
    boxes: dict[str, tuple[int, int, int, int]] = {}
    right, lowest = _GAP, 0
    for name, (x0, y0, x1, y1) in _CELLS.items():
        wide, high = round((x1 - x0) * scale), round((y1 - y0) * scale)
        boxes[name] = (right, _GAP, right + wide, _GAP + high)
        right, lowest = right + wide + _GAP, max(lowest, _GAP + high)
    size = ((lowest + _GAP) * _OVERSAMPLING, right * _OVERSAMPLING)
    made = np.zeros(size, np.uint8)
    patterned = np.zeros(size, np.uint8)
    for name, (left, top, stop, bottom) in boxes.items():
        corner = np.array([left, top]) * _OVERSAMPLING - np.array(_CELLS[name][:2]) * fine
        for material, outline in shapes[name]:
            cv2.fillPoly(made, [np.round(outline * fine + corner).astype(np.int32)], MATERIALS.index(material))
        # A pattern runs in each part's own coordinates, so that it moves with the cloth.
        rows = slice(top * _OVERSAMPLING, bottom * _OVERSAMPLING)
        columns = slice(left * _OVERSAMPLING, stop * _OVERSAMPLING)
        y = (np.arange(rows.start, rows.stop)[:, None] - corner[1]) / fine
        x = (np.arange(columns.start, columns.stop)[None, :] - corner[0]) / fine
        made_of = {material for material, _ in shapes[name]}
        for material, pattern in look.patterns.items():
            if material not in made_of:
                continue
            patterned[rows, columns] |= pattern(x, y) & (made[rows, columns] == MATERIALS.index(material))
    sheet = _paint(made, patterned, look, light)
    parts = {name: _part(sheet, box, np.array(_CELLS[name][:2]) * scale) for name, box in boxes.items()}
    return Body(height, scale, parts)


def _paint(made: NDArray[np.uint8], patterned: NDArray[np.uint8], look: Outfit, light: float) -> NDArray[np.uint8]:
    """(h, w, 4) premultiplied, of the sprites' size: colours, lit from one side, darker along the outline.

    made: (H, W) materials; patterned: (H, W) whether a pattern is on.
    """
    table = np.full((2, len(MATERIALS), 4), 255, np.uint8)
    table[..., :3] = np.round(look.colours)
    table[:, 0] = 0
    # Four bytes are looked up at once.
    flat = table.reshape(-1, 4).view(np.uint32)[:, 0].take(made + np.uint8(len(MATERIALS)) * patterned)
    size = (made.shape[1] // _OVERSAMPLING, made.shape[0] // _OVERSAMPLING)
    sheet = cv2.resize(flat.view(np.uint8).reshape(*made.shape, 4), size, interpolation=cv2.INTER_AREA)
    height = cv2.blur(sheet[..., 3], (3, 3)).astype(np.float32)
    slope_x, slope_y = (cv2.Sobel(height, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    # 8 is Sobel's own gain. Half of the blurred height lies at the outline itself.
    right, down = (-0.7 / 8 / 255 * np.array([np.cos(light), np.sin(light)])).tolist()
    shade = cv2.addWeighted(slope_x, right, slope_y, down, 1)
    shade *= np.minimum(0.2 + height * np.float32(0.85 / 255), 1)
    lit = cv2.multiply(sheet, cv2.cvtColor(shade, cv2.COLOR_GRAY2RGBA), dtype=cv2.CV_8U)
    # No brighter than premultiplied colours may be.
    return np.asarray(cv2.insertChannel(sheet[..., 3], np.minimum(lit, sheet[..., 3:]), 3), np.uint8)


def _part(sheet: NDArray[np.uint8], box: tuple[int, int, int, int], corner: Floats) -> Part:
    left, top, right, bottom = box
    margin = 2
    pixels = sheet[top - margin : bottom + margin, left - margin : right + margin]
    covered = (pixels[..., 3] > 96).view(np.uint8)
    x0, y0, wide, high = cv2.boundingRect(covered)
    x1, y1 = x0 + wide + margin, y0 + high + margin
    x0, y0 = max(x0 - margin, 0), max(y0 - margin, 0)
    pixels = np.ascontiguousarray(pixels[y0:y1, x0:x1])
    centre = np.array([pixels.shape[1] - 1, pixels.shape[0] - 1]) / 2
    outline = cv2.convexHull(cv2.findNonZero(covered))[:, 0, :] - [x0, y0]
    # The cell's first pixel lies at corner + half a pixel from the joint.
    origin = -corner - 0.5 + margin - np.array([x0, y0]) - centre
    return Part(Sprite(pixels, outline - centre), origin)


def _shapes(look: Outfit, rng: np.random.Generator) -> Iterator[tuple[str, list[Fill]]]:
    """The outlines of every part, later over earlier, in body heights about its origin."""
    wide = look.girth
    yield "head", _head(look, rng)
    yield "torso", _torso(look)
    upper, fore = TYPICAL.upper_arm, TYPICAL.forearm
    arm = upper + fore
    yield "upper_arm", _limb(upper, (0.075 * wide, 0.062 * wide), "shirt", "skin", look.sleeve * arm / upper)
    hand = ("skin", ellipse((0.004, fore + 0.045), (0.034, 0.04)))
    covered = (look.sleeve * arm - upper) / fore
    yield "forearm", [*_limb(fore, (0.06 * wide, 0.048 * wide), "shirt", "skin", covered), hand]
    thigh, shin = TYPICAL.thigh, TYPICAL.shin
    leg = thigh + shin
    yield "thigh", _limb(thigh, (0.118 * wide, 0.085 * wide), "trousers", "skin", look.leg * leg / thigh)
    covered = (look.leg * leg - thigh) / shin
    yield "shin", _limb(shin, (0.082 * wide, 0.058 * wide), "trousers", "skin", covered)
    foot = smooth([(-0.035, -0.03), (0.02, -0.035), (0.07, -0.005), (0.098, 0.015), (0.095, SOLE)], closed=False)
    yield "foot", [("shoe", np.concatenate([foot, [(-0.042, SOLE)]]))]
    yield "prop", _prop(look.prop)
    yield "seat", _seat(look.seat)


def _limb(length: float, widths: tuple[float, float], cloth: str, bare: str, covered: float) -> list[Fill]:
    """A rounded tube; cloth from its origin down to a share of its length, and a little wider."""
    top, end = widths
    line = np.array([(0, 0), (0, length)])
    fills: list[Fill] = [
        (bare, tube(line, list(widths))),
        (bare, ellipse((0, 0), (top / 2, top / 2))),
        (bare, ellipse((0, length), (end / 2, end / 2))),
    ]
    if covered > 0.05:
        share = min(covered, 1.0)
        last = top + share * (end - top)
        fills.append((cloth, tube(np.array([(0, 0), (0, share * length)]), [top * 1.05, last * 1.1])))
        fills.append((cloth, ellipse((0, 0), (top * 0.525, top * 0.525))))
        if covered >= 1:
            fills.append((cloth, ellipse((0, length), (end * 0.55, end * 0.55))))
    return fills


def _torso(look: Outfit) -> list[Fill]:
    top, wide = -TYPICAL.torso, look.girth
    neck: Fill = ("skin", rectangle(-0.032, top - 0.06, 0.036, top + 0.02))
    hips: Fill = ("trousers", ellipse((0, 0.0), (0.082 * wide, 0.055)))
    shirt = smooth(
        [
            (-0.055, top - 0.028),
            (0.055, top - 0.028),
            (0.095 * wide, top + 0.02),
            (0.098 * wide, top + 0.10),
            (0.082 * wide, -0.10),
            (0.086 * wide, look.hem),
            (-0.086 * wide, look.hem),
            (-0.082 * wide, -0.10),
            (-0.098 * wide, top + 0.10),
            (-0.095 * wide, top + 0.02),
        ],
        closed=True,
        steps=4,
    )
    fills = [neck, hips, ("shirt", shirt)]
    if look.skirt:
        hem = 0.145
        flare = np.array([(-0.082 * wide, -0.03), (0.082 * wide, -0.03), (0.135 * wide, hem), (-0.135 * wide, hem)])
        fills.insert(2, ("trousers", flare))
    return fills


def _head(look: Outfit, rng: np.random.Generator) -> list[Fill]:
    """A head half turned to the right: the face on that side, hair behind and above."""
    size = look.stature
    wide, high = 0.082 * size, 0.096 * size
    face: Fill = ("skin", ellipse((0, 0), (wide, high)))
    nose: Fill = ("skin", ellipse((wide * 0.98, 0.012), (0.016, 0.016)))
    eye: Fill = ("eye", ellipse((wide * 0.52, -0.006), (0.013, 0.019)))
    hairline = rng.uniform(-0.2, 0.1) * high
    back = ellipse((-0.1 * wide, -0.14 * high), (wide * 1.06, high * 1.02), (115, 325))
    hair: Fill = ("hair", np.concatenate([back, [(wide * 0.55, -0.45 * high), (wide * -0.1, hairline)]]))
    fills = [face, nose, hair, eye]
    if look.headgear == "long":
        fills.insert(0, ("hair", ellipse((-0.45 * wide, 0.35 * high), (wide * 0.72, high * 1.05))))
    elif look.headgear == "bun":
        fills.insert(0, ("hair", ellipse((-0.75 * wide, -0.8 * high), (0.045, 0.045))))
    elif look.headgear == "cap":
        dome = ellipse((0, -0.3 * high), (wide * 1.08, high * 0.78), (180, 360))
        fills += [("hat", dome), ("hat", rectangle(0, -0.42 * high, wide * 1.75, -0.24 * high))]
    elif look.headgear == "hat":
        dome = ellipse((0, -0.45 * high), (wide * 0.92, high * 0.95), (180, 360))
        fills += [("hat", dome), ("hat", ellipse((0, -0.45 * high), (wide * 1.7, 0.018)))]
    return fills


def _prop(kind: str) -> list[Fill]:
    if kind == "ball":
        band = np.concatenate([ellipse((0, 0), (PROP, PROP), (-20, 20)), ellipse((0, 0), (PROP, PROP), (160, 200))])
        return [("prop", ellipse((0, 0), (PROP, PROP))), ("prop_mark", band)]
    if kind == "box":
        whole, band = rectangle(-PROP, -PROP, PROP, PROP), rectangle(-0.02, -PROP, 0.02, PROP)
        return [("prop", whole), ("prop_mark", band)]
    side = smooth([(0.024, -0.09), (0.026, -0.05), (0.05, -0.015), (0.05, PROP)], closed=False)
    flask = np.concatenate([side, side[::-1] * [-1, 1]])
    return [("prop", flask), ("prop_mark", rectangle(-0.05, 0.0, 0.05, 0.035))]


def _seat(kind: str) -> list[Fill]:
    if kind == "box":
        return [
            ("legs", rectangle(-0.12, 0.0, 0.12, SEAT_HEIGHT)),
            ("seat", rectangle(-0.135, 0.0, 0.135, 0.05)),
            ("seat", rectangle(-0.10, 0.075, 0.10, SEAT_HEIGHT - 0.025)),
        ]
    fills: list[Fill] = [
        ("legs", tube(np.array([(side * 0.09, 0.02), (side * 0.125, SEAT_HEIGHT)]), 0.03)) for side in (-1, 1)
    ]
    rung: Fill = ("legs", rectangle(-0.11, 0.13, 0.11, 0.15))
    return [*fills, rung, ("seat", rectangle(-0.14, 0.0, 0.14, 0.048))]
