"""data/excluded.txt; lines of it that name nothing are told, with what was probably meant."""

import re
from pathlib import Path

import pandas as pd
import pytest

from pipeline import paths
from pipeline.errors import UserError
from pipeline.lineage import exclusions
from pipeline.lineage.exclusions import read_exclusions

IDS = [
    "mine/train/a.mp4",
    "mine/train/my%20first%20film.mp4",
    "mine/test/b.mp4",
    "mine/test/my",
    "mine/train/000123.mp4",
]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths.EXCLUDED.parent.mkdir()
    listing = paths.raw("smoke", "mine") / "files.parquet"
    listing.parent.mkdir(parents=True)
    pd.DataFrame({"id": IDS}).to_parquet(listing)


def test_each_split_gets_its_own_lines() -> None:
    paths.EXCLUDED.write_text(
        "# comment\n\ntoyworld/test/000001 withdrawn by its owner\ntoyworld/train/000002 blurred\n"
    )
    exclusions.refresh("smoke", ["toyworld", "toyworld2"])
    of_split = {split: read_exclusions(paths.exclusions("smoke", "toyworld", split)) for split in paths.SPLITS}
    assert of_split == {
        "train": {"toyworld/train/000002": "blurred"},
        "validation": {},
        "test": {"toyworld/test/000001": "withdrawn by its owner"},
    }
    assert read_exclusions(paths.exclusions("smoke", "toyworld2", "test")) == {}


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


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mine/train/my first film.mp4 blurred by its owner", "did you mean 'mine/train/my%20first%20film.mp4'?"),
        ("mine/train/b.mp4 blurred", "did you mean 'mine/test/b.mp4'?"),
        ("mine/train/000132.mp4 blurred", "did you mean 'mine/train/000123.mp4'?"),
        ("mine/train/zebra blurred", "so nothing is excluded"),
    ],
)
def test_a_line_that_names_nothing_is_told_with_what_was_meant(line: str, expected: str) -> None:
    paths.EXCLUDED.write_text(f"# comment\nmine/train/a.mp4 withdrawn\n{line}\n")
    [told] = exclusions.warnings(["smoke", "default"])
    assert told.startswith(f"warning: data/excluded.txt:3: {line.split()[0]} is not in mine as listed at scale smoke,")
    assert told.endswith(expected)


def test_what_is_there_or_not_listed_yet_is_not_told() -> None:
    paths.EXCLUDED.write_text("mine/train/a.mp4 withdrawn\nmine/train/a.mp4@0002 blurred\nother/train/x unknown\n")
    assert exclusions.warnings(["smoke", "default"]) == []


def test_a_clip_of_any_scale_is_there() -> None:
    listing = paths.raw("default", "mine") / "files.parquet"
    listing.parent.mkdir(parents=True)
    pd.DataFrame({"id": ["mine/train/of-default"]}).to_parquet(listing)
    paths.EXCLUDED.write_text("mine/train/of-default withdrawn\nmine/train/nowhere withdrawn\n")
    [told] = exclusions.warnings(["smoke", "default", "paper"])
    assert "mine/train/nowhere is not in mine as listed at scale smoke and default" in told


def test_of_many_lines_the_first_are_named_and_the_rest_counted() -> None:
    paths.EXCLUDED.write_text("".join(f"mine/train/x{number} gone\n" for number in range(exclusions.SHOWN + 3)))
    *named, rest = exclusions.warnings(["smoke"])
    assert len(named) == exclusions.SHOWN
    assert rest == "warning: data/excluded.txt: 3 more lines name what is not there"
