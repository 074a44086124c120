"""Lines of data/excluded.txt that name nothing are told, with what was probably meant."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline import paths
from pipeline.lineage import absent

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
    [told] = absent.warnings(["smoke", "default"])
    assert told.startswith(f"warning: data/excluded.txt:3: {line.split()[0]} is not in mine as listed at scale smoke,")
    assert told.endswith(expected)


def test_what_is_there_or_not_listed_yet_is_not_told() -> None:
    paths.EXCLUDED.write_text("mine/train/a.mp4 withdrawn\nmine/train/a.mp4@0002 blurred\nother/train/x unknown\n")
    assert absent.warnings(["smoke", "default"]) == []


def test_a_clip_of_any_scale_is_there() -> None:
    listing = paths.raw("default", "mine") / "files.parquet"
    listing.parent.mkdir(parents=True)
    pd.DataFrame({"id": ["mine/train/of-default"]}).to_parquet(listing)
    paths.EXCLUDED.write_text("mine/train/of-default withdrawn\nmine/train/nowhere withdrawn\n")
    [told] = absent.warnings(["smoke", "default", "paper"])
    assert "mine/train/nowhere is not in mine as listed at scale smoke and default" in told


def test_of_many_lines_the_first_are_named_and_the_rest_counted() -> None:
    paths.EXCLUDED.write_text("".join(f"mine/train/x{number} gone\n" for number in range(absent.SHOWN + 3)))
    *named, rest = absent.warnings(["smoke"])
    assert len(named) == absent.SHOWN
    assert rest == "warning: data/excluded.txt: 3 more lines name what is not there"
