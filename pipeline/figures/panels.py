"""Figures of several plots side by side: a grid of equal panels, saved so that the same values give the same bytes."""

import warnings
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from pipeline.figures.strip import FAINT, FONT

_DPI = 100
_COLUMNS = 4


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


def save(figure: Figure, path: Path, colours: int = 0) -> None:
    """Writes a PNG without the name of the program that made it. colours: of a palette, 2 to 256, which makes a figure
    with photographs a third as large; 0 for none."""
    drawn = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; it is no fault.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        drawn.draw()  # type: ignore[no-untyped-call]
    pixels = Image.fromarray(np.asarray(drawn.buffer_rgba())[..., :3].copy())  # type: ignore[no-untyped-call]
    made = pixels.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE) if colours else pixels
    made.save(path, format="PNG", optimize=True)
