"""Figures of several plots side by side: a grid of equal panels, saved so that the same values give the same bytes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image

from pipeline.figures.strip import FAINT, FONT

_DPI = 100
_COLUMNS = 4
_RENDERER = RendererAgg(1, 1, _DPI)  # type: ignore[no-untyped-call]
MOST = 300_000
"""Bytes that a figure with photographs should not exceed: it lies under version control."""
STEPS = (1, 2, 4)
"""Of colours, 0 to 255, before a palette takes their place."""


def panels(count: int, *, width: int, height: int) -> tuple[Figure, list[Axes]]:
    """count: of panels, 1 or more, four in a row. width, height: of one with its labels, px."""
    columns = min(count, _COLUMNS)
    rows = -(-count // columns)
    figure = Figure(
        figsize=(columns * width / _DPI, rows * height / _DPI), dpi=_DPI, facecolor="white", layout="constrained"
    )
    return figure, [figure.add_subplot(rows, columns, number + 1) for number in range(count)]


def canvas(width: int, height: int) -> Figure:
    """An empty figure of so many px."""
    return Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")


def spectrogram(axes: Axes, log_magnitude: np.ndarray, vmin: float, vmax: float) -> None:
    """log_magnitude: (T, 257) in nepers, as the store has it. vmin, vmax: dB, at the ends of the colour scale."""
    decibels = 20 / np.log(10) * log_magnitude.T
    axes.imshow(decibels, cmap="magma", vmin=vmin, vmax=vmax, origin="lower", aspect="auto")
    axes.set_axis_off()


def no_panels(why: str, path: Path) -> None:
    """Writes a PNG of one line."""
    figure = canvas(400, 60)
    figure.text(0.5, 0.5, why, ha="center", va="center", fontsize=8, color=FAINT, family=FONT)
    save(figure, path)


def fitted(text: str, width: int, points: float) -> str:
    """The text, or as much of its beginning and its end as is no wider than `width` px, with an ellipsis between."""
    for kept in range(len(text), 0, -1):
        shown = text if kept == len(text) else f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"
        if _across(shown, points) <= width:
            return shown
    return ""


def _across(text: str, points: float) -> float:
    """px."""
    font = FontProperties(family=FONT, size=points)
    with _unknown_glyphs():
        across, _, _ = _RENDERER.get_text_width_height_descent(text, font, ismath=False)  # type: ignore[no-untyped-call]
    return float(across)


@contextmanager
def _unknown_glyphs() -> Iterator[None]:
    """A name in a script that the font lacks is drawn as boxes; it is no fault."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        yield


def save(figure: Figure, path: Path, most: int | None = None) -> None:
    """Writes a PNG without the name of the program that made it. most: bytes; what would be larger is written in
    coarser colours, the coarsest of which may still be larger."""
    drawn = FigureCanvasAgg(figure)
    with _unknown_glyphs():
        drawn.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(drawn.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
    for picture in _ever_coarser(pixels):
        made = _encoded(picture)
        if most is None or len(made) <= most:
            break
    path.write_bytes(made)


def _ever_coarser(pixels: np.ndarray) -> Iterator[Image.Image]:
    """pixels: (H, W, 3) uint8. In all colours; in steps that no eye sees; in a palette. It covers the range of colours,
    or backgrounds would take most of it, and nothing is dithered: that takes half as many bytes again."""
    for step in STEPS:
        rounded = (pixels.astype(int) + step // 2) // step * step
        coarse = np.where(pixels == 255, 255, rounded.clip(max=255)).astype(np.uint8)
        picture = Image.fromarray(coarse)
        yield picture
    # Of the coarsest: with as many colours as a page of photographs has, finding 256 takes ten times as long.
    palette = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=2)
    yield picture.quantize(palette=palette, dither=Image.Dither.NONE)


def _encoded(picture: Image.Image) -> bytes:
    made = BytesIO()
    picture.save(made, format="PNG", optimize=True)
    return made.getvalue()
