"""Histograms of decoded files, by their pixels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.figures.decoded import histograms


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
