"""Training curves and confusion matrices: what is drawn of logs and predictions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.figures.confusion import Answers, confusion, shares
from pipeline.figures.curves import LOSS, NEIGHBOURS, curves


def drawn_in(colour: str, path: Path) -> int:
    """Pixels of about a colour."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((np.abs(pixels - wanted).sum(axis=2) < 30).sum())


def log(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"step": [10, 20], "images": [320, 640], "learning_rate": [0.1, 0.0], **columns})


def test_a_run_has_its_loss_and_what_watched_it(tmp_path: Path) -> None:
    lone, watched, none = (tmp_path / f"{name}.png" for name in "abc")
    curves({"rotation": log(rotation=[1.3, 0.9])}, lone)
    assert drawn_in(LOSS, lone) > 100
    assert drawn_in(NEIGHBOURS, lone) == 0
    seen = {"vision_knn_top1": [float("nan"), 0.2], "vision_feature_std": [float("nan"), 9.0]}
    curves({"ave_net": log(correspondence=[0.7, 0.6], **seen), "random": log().iloc[:0]}, watched)
    assert drawn_in(NEIGHBOURS, watched) > 10
    assert Image.open(watched).size == Image.open(lone).size  # one panel: what does not train has none
    curves({"random": log().iloc[:0]}, none)
    assert Image.open(none).size == (400, 60)


def test_rows_of_a_confusion_matrix_are_what_is_there(tmp_path: Path) -> None:
    label, prediction = np.array([0, 0, 0, 0, 2]), np.array([0, 0, 0, 1, 1])
    one = Answers("rotation.linear.top1", ["bell", "dog", "$x$"], label, prediction)
    assert shares(one) == pytest.approx(np.array([[0.75, 0.25, 0], [0, 0, 0], [0, 1, 0]]))
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    for path in (first, second):
        confusion([one] * 5, path)
    assert first.read_bytes() == second.read_bytes()
    assert Image.open(first).size == (1200, 640)
    confusion([], tmp_path / "none.png")
    assert Image.open(tmp_path / "none.png").size == (400, 60)
