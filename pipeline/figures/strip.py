"""A clip as pictures of clips show it, and what they have in common: ink, type, captions."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

INK, FAINT = "#222222", "#777777"
FONT = "DejaVu Sans"  # comes with matplotlib: the same everywhere


@dataclass(frozen=True)
class Strip:
    """One clip. title: set large; note: set small below it, or empty; frames: (T, H, W, 3) uint8; sound: (S,) in -1 to
    1; sample_rate: hertz."""

    title: str
    note: str
    frames: NDArray[np.uint8]
    sound: NDArray[np.floating]
    sample_rate: int


def caption(figure: Figure, clip: Strip, left: float, middle: float, step: float) -> None:
    """Title and note, one above the other. left, middle: where in the figure; step: half a line; shares of its size."""
    for text, size, colour, weight, shift in (
        (clip.title, 11, INK, "bold", 0.8 if clip.note else 0.0),
        (clip.note, 8.5, FAINT, "normal", -0.9),
    ):
        figure.text(
            left, middle + shift * step, text, fontsize=size, color=colour, va="center", weight=weight, family=FONT
        )
