"""data/excluded.txt."""

import re
from pathlib import Path

import pytest

from pipeline import paths
from pipeline.errors import UserError
from pipeline.lineage import exclusions


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths.EXCLUDED.parent.mkdir()


def test_each_split_gets_its_own_lines() -> None:
    paths.EXCLUDED.write_text(
        "# comment\n\ntoyworld/test/000001 withdrawn by its owner\ntoyworld/train/000002 blurred\n"
    )
    exclusions.refresh("smoke", ["toyworld", "toyworld2"])
    of_split = {split: exclusions.read(paths.exclusions("smoke", "toyworld", split)) for split in paths.SPLITS}
    assert of_split == {
        "train": {"toyworld/train/000002": "blurred"},
        "validation": {},
        "test": {"toyworld/test/000001": "withdrawn by its owner"},
    }
    assert exclusions.read(paths.exclusions("smoke", "toyworld2", "test")) == {}


def test_only_the_part_that_changed_is_written() -> None:
    paths.EXCLUDED.write_text("")
    assert len(exclusions.refresh("smoke", ["toyworld"])) == 3
    paths.EXCLUDED.write_text("toyworld/test/000001 withdrawn\n")
    assert exclusions.refresh("smoke", ["toyworld"]) == [paths.exclusions("smoke", "toyworld", "test")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("000001.mp4 withdrawn", "excluded.txt:1: expected DATASET/SPLIT/NAME"),
        ("toyworld/tset/000001 withdrawn", "excluded.txt:1: expected DATASET/SPLIT/NAME"),
        ("toyworld/test/ withdrawn", "excluded.txt:1: expected DATASET/SPLIT/NAME"),
        ("my files/test/a.mp4 withdrawn", "found 'my'; a space in a name is written %20"),
        (
            "toywrld/test/000001 withdrawn",
            "excluded.txt:1: toywrld/test/000001: there is no dataset 'toywrld'; did you",
        ),
        ("toyworld/test/000001", "excluded.txt:1: toyworld/test/000001 has no reason"),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused(line: str, expected: str) -> None:
    paths.EXCLUDED.write_text(line + "\n")
    with pytest.raises(UserError, match=re.escape(expected)):
        exclusions.refresh("smoke", ["toyworld"])
