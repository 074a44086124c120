"""What was found: green frames for what is of the same class, pictures and spectrograms side by side."""

from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.figures.searches import _ALIKE, Panel, Shown, searches

WHITE = np.full((8, 8, 3), 255, np.uint8)


def green(path: Path) -> int:
    """Pixels of about the colour of a frame."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    wanted = [int(_ALIKE[at : at + 2], 16) for at in (1, 3, 5)]
    return int((np.abs(pixels - wanted).sum(axis=2) < 40).sum())


def found(*labels: str) -> list[Shown]:
    return [Shown(label, WHITE) for label in labels]


def test_what_is_alike_is_framed_in_green(tmp_path: Path) -> None:
    counts = []
    for number, labels in enumerate((["dog", "dog"], ["bell", "dog"], ["bell", "dogs"])):
        path = tmp_path / f"{number}.png"
        searches([Panel("random", [(Shown("dog", WHITE), found(*labels))])], 3, path)
        counts.append(green(path))
    assert counts[0] > 1.8 * counts[1] > 0
    assert counts[2] == 0


def test_panels_stand_in_columns_and_sounds_are_drawn(tmp_path: Path) -> None:
    sound = Shown("$bell$", np.zeros((400, 257), np.float16))
    panel = Panel("ave_net: sound to picture", [(sound, found("$bell$", "dog", "dog"))] * 2)
    sizes = []
    for number, columns in ((1, 2), (2, 2), (3, 2)):
        searches([panel] * number, columns, tmp_path / f"{number}.png")
        sizes.append(Image.open(tmp_path / f"{number}.png").size)
    (one, high), (two, same), (three, double) = sizes
    assert (two, three, same, double) == (2 * one, two, high, 2 * high)


def test_nothing_that_was_looked_for_is_said(tmp_path: Path) -> None:
    searches([], 3, tmp_path / "none.png")
    assert Image.open(tmp_path / "none.png").size == (400, 60)
