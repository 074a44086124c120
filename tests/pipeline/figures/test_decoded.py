"""What was decoded, by pixels: captions of a sheet, histograms."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.figures.decoded import histograms, sheet
from pipeline.store.sample import Window


def columns_of_bars(values: np.ndarray, path: Path) -> float:
    """The share of a picture's columns that have something of a bar in them."""
    histograms({"shorter side, px": values}, {}, path)
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    bar = np.abs(pixels - (76, 114, 176)).sum(axis=2) < 10
    return float(bar.any(axis=0).mean())


@pytest.mark.parametrize("constant", [64.0, 0.001, 25 + 1e-9 * np.arange(30)])
def test_a_constant_is_one_narrow_bar(tmp_path: Path, constant: float | np.ndarray) -> None:
    assert 0.02 < columns_of_bars(np.broadcast_to(constant, 30), tmp_path / "a.png") < 0.15


def test_what_differs_is_spread_out(tmp_path: Path) -> None:
    assert columns_of_bars(np.linspace(1, 2, 500), tmp_path / "a.png") > 0.5


def written(label: str, name: str, path: Path) -> np.ndarray:
    """What stands above three white stills of that name, side by side: (H, W) bool."""
    still = np.full((1, 8, 8, 3), 255, np.uint8)
    sheet([Window(f"mine/train/{name}", label, still, None)] * 3, path)
    return np.asarray(Image.open(path).convert("L")) < 128


def test_captions_stay_above_their_own_stills(tmp_path: Path) -> None:
    ink = written(
        "a class of a long name", "a%20class%20of%20a%20long%20name/" + "0123456789" * 5 + ".jpg", tmp_path / "a.png"
    )
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    gaps = columns[1:][np.diff(columns) > 6]
    assert len(gaps) == 2  # three captions, none into the next
    assert rows.max() - rows.min() > 15  # of two lines
    assert len(np.flatnonzero(written("", "a.jpg", tmp_path / "b.png").any(axis=1))) < 12  # of one
    assert Image.open(tmp_path / "a.png").size[1] == Image.open(tmp_path / "b.png").size[1] + 13


def test_a_file_is_called_without_the_folder_of_its_class(tmp_path: Path) -> None:
    same = [written("cat", name, tmp_path / "a.png") for name in ("cat/a%20b.jpg", "a b.jpg", "dog/a b.jpg")]
    assert np.array_equal(same[0], same[1])
    assert not np.array_equal(same[0], same[2])
