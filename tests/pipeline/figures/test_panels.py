"""Training curves and confusion matrices: what is drawn of logs and predictions; names that fit, files that do."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.figures.confusion import COUNTED, NAMED, Answers, confusion, shares
from pipeline.figures.curves import LOSS, NEIGHBOURS, curves
from pipeline.figures.panels import canvas, fitted, save


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
    assert Image.open(first).size == (4 * 330, 2 * 362)
    confusion([], tmp_path / "none.png")
    assert Image.open(tmp_path / "none.png").size == (400, 60)


def confused(classes: int, times: int, path: Path) -> bytes:
    """The picture of one number whose examples, `times` of each, are half of them of the next class."""
    label = np.repeat(np.arange(classes), 2 * times)
    prediction = np.where(np.arange(len(label)) % 2, label, (label + 1) % classes)
    confusion([Answers("rotation.linear.top1", [f"{n}" for n in range(classes)], label, prediction)], path)
    return path.read_bytes()


@pytest.mark.parametrize(("classes", "told"), [(3, True), (COUNTED, True), (COUNTED + 1, False), (NAMED + 1, False)])
def test_examples_are_counted_where_there_is_room(tmp_path: Path, classes: int, told: bool) -> None:
    """The same shares of more examples are another picture only where they are counted."""
    path = tmp_path / "a.png"
    assert (confused(classes, 1, path) != confused(classes, 7, path)) == told


def test_a_title_stays_within_its_panel(tmp_path: Path) -> None:
    name = "shuffle_and_learn_uniform.seed-0.action_finetuned.top1"
    confusion([Answers(name, ["a", "b"], np.array([0, 1]), np.array([0, 1]))] * 2, tmp_path / "a.png")
    grey = np.asarray(Image.open(tmp_path / "a.png").convert("L"))
    title, middle = grey[:28], grey.shape[1] // 2
    assert (title < 128).any()
    for edge in (title[:, :3], title[:, -3:], title[:, middle - 3 : middle + 3]):
        assert (edge > 250).all()


def test_a_name_that_is_too_wide_keeps_its_beginning_and_its_end() -> None:
    assert fitted("IMG_0001.jpg", 200, 7) == "IMG_0001.jpg"
    shown = fitted("a very long name of a picture of somebody $x$ 0001.jpg", 120, 7)
    assert shown.startswith("a very l")
    assert "…" in shown
    assert shown.endswith("0001.jpg")
    assert len(fitted("iiii" * 20, 100, 7)) > len(fitted("MMMM" * 20, 100, 7))
    assert fitted("name", 0, 7) == ""


def test_a_file_that_would_be_too_large_has_coarser_colours(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8)  # 255 stays as it is
    sizes: list[int] = []
    for number, off in enumerate((0, 1, 2, 255)):
        figure, path = canvas(60, 60), tmp_path / f"{number}.png"
        figure.figimage(noise)
        save(figure, path, sizes[-1] - 1 if sizes else None)
        sizes.append(path.stat().st_size)
        pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
        assert np.abs(pixels - noise).max() <= off
    assert sizes == sorted(set(sizes), reverse=True)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) <= 256
