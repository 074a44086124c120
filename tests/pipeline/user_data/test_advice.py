"""What `add` warns of: uneven and small classes, files under two names."""

import os
import shutil
from pathlib import Path

import pytest

from pipeline.user_data.advice import SHOWN, leaked, warnings
from pipeline.user_data.folder_scan import scan_folder
from pipeline.user_data.inspect_file import Limits
from tests.media import image

LIMITS = Limits(max_pixels=10**6, file_seconds=60.0, file_memory_mb=1500)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "own files"


def said(folder: Path) -> str:
    return "\n".join(warnings(scan_folder(folder, None, LIMITS)))


def fill(folder: Path, place: str, count: int, seed: int = 0) -> None:
    """Pictures of which no two are alike, where no two seeds are nearer than their counts."""
    for number in range(count):
        image(folder / place / f"{number}.png", seed=seed + number)


def test_what_is_uneven_or_strange_is_said(folder: Path) -> None:
    fill(folder, "train/often", 30)
    fill(folder, "train/rare", 1, seed=100)
    fill(folder, "test/new", 1, seed=200)
    told = said(folder)
    assert "classes are uneven: 29 training files of 'often', 1 of 'rare'" in told
    assert "train has no class 'new'" in told


def test_classes_that_a_split_has_one_file_of_or_none_are_named(folder: Path) -> None:
    for number, split in enumerate(("train", "validation", "test")):
        fill(folder, f"{split}/many", 3, seed=100 * number)
    fill(folder, "train/a", 1, seed=400)
    for number in range(SHOWN + 3):
        fill(folder, f"train/x{number:02d}", 2, seed=500 + 10 * number)
        image(folder / f"validation/x{number:02d}/a.png", seed=800 + number)
    image(folder / "test/x00/a.png", seed=900)
    told = said(folder)
    assert (
        "classes with few files: 1 training file of 'a'; no validation file of 'a'; 1 validation file of 'x00'" in told
    )
    assert "'x11' and 3 more; no test file of 'a', 'x01'" in told
    assert "; 1 test file of 'x00'; numbers say next to nothing of them" in told


def test_no_class_with_two_files_in_every_split_is_named(folder: Path) -> None:
    for number, place in enumerate(f"{split}/{label}" for split in ("train", "val", "test") for label in "ab"):
        fill(folder, place, 2, seed=10 * number)
    assert said(folder) == ""


def test_a_file_under_two_names_is_told_with_both_places(folder: Path) -> None:
    for number, place in enumerate(f"{split}/{label}" for split in ("train", "val", "test") for label in "ab"):
        fill(folder, place, 3, seed=10 * number)
    (folder / "test/b/link.png").symlink_to("../../train/a/0.png")
    os.link(folder / "train/a/0.png", folder / "train/a/hard.png")
    shutil.copy(folder / "train/b/1.png", folder / "train/b/again.png")
    shutil.copy(folder / "train/b/1.png", folder / "val/a/again.png")
    (folder / "test/b/lost.png").symlink_to("nowhere")
    linked, twice, leak = said(folder).splitlines()
    assert linked == "1 file is a link, followed"
    places = "1 in train/a and test/b, 1 twice in train/a, 1 twice in train/b, 1 in train/b and validation/a"
    assert twice.startswith(f"4 files are used twice, by a link or as a copy: {places} (")
    assert "test/b/link.png -> ../../train/a/0.png is train/a/0.png; " in twice
    assert "train/a/hard.png is train/a/0.png; " in twice
    assert "val/a/again.png is a copy of train/b/1.png" in twice
    expected = "leak: 1 test file is a training file too; take them out of either, or numbers will be too high"
    assert leak == expected


def test_a_leak_is_found_by_way_of_a_third_name(folder: Path) -> None:
    for number, split in enumerate(("train", "val", "test")):
        fill(folder, f"{split}/a", 3, seed=10 * number)
        fill(folder, f"{split}/b", 3, seed=100 + 10 * number)
    for place in ("train/a", "test/a"):
        (folder / place / "link.png").symlink_to("../../val/a/0.png")
    shutil.copy(folder / "train/b/0.png", folder / "val/b/copy.png")
    (folder / "test/b/link.png").symlink_to("../../val/b/copy.png")
    assert leaked(scan_folder(folder, None, LIMITS).copies) == 2


def test_pictures_that_only_begin_alike_are_no_copies(folder: Path) -> None:
    rows = 400 * 300
    for number in range(2):
        pixels = bytes(3 * rows - 1) + bytes([number])
        path = folder / "ab"[number] / "0.ppm"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"P6 400 300 255\n" + pixels)
    assert "used twice" not in said(folder)


def test_a_file_that_cannot_be_used_is_none_of_two(folder: Path) -> None:
    fill(folder, "a", 2)
    fill(folder, "b", 2, seed=10)
    for name in ("a/x.png", "b/x.png"):
        (folder / name).write_text("broken")
    assert "used twice" not in said(folder)
