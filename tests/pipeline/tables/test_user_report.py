"""table.md of somebody's own files: names stand as they are, whatever is in them."""

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from pipeline.cards import Label
from pipeline.tables import numbers
from pipeline.tables.aliases import with_seeds
from pipeline.tables.lecture_report import ReportContents
from pipeline.tables.markdown import code
from pipeline.tables.results import read_result
from pipeline.tables.skipped_files import skipped_files
from pipeline.tables.skipped_runs import SkippedRuns
from pipeline.tables.user_report import UserReport, render_user_report
from tests.pipeline.tables.user_card import card_of

Write = Callable[..., Path]

BROKEN = "is empty"
CLASSES = ["a", "b_c", "d"]


def indexed(
    parents: Sequence[str], split: str | list[str], reasons: Sequence[str | None], **others: object
) -> pd.DataFrame:
    """Rows of the index, of files of which no two are alike."""
    origins = [str(number) for number in range(len(parents))]
    return pd.DataFrame({"parent": parents, "split": split, "reason": reasons, "origin": origins, **others})


def table(*names: str, pictures: Sequence[str] = ()) -> str:
    """Of files that could not be used."""
    rows = indexed(names, "train", [BROKEN] * len(names))
    measured = ReportContents("smoke", "mine", (0,), measured=[], between=[], ids=[], skipped_files=skipped_files(rows))
    return render_user_report(
        UserReport(card_of({}, train=len(names)), measured, SkippedRuns(), rows, notes=[], pictures=pictures)
    )


def test_one_file_is_spoken_of_as_one() -> None:
    assert "\n1 of 1 file is used for nothing. Those" in table("mine/train/a.mp4")
    assert "\n2 of 2 files are used for nothing. Those" in table("mine/train/a.mp4", "mine/train/b.mp4")
    assert "At scale `smoke` the numbers mean nothing" in table("mine/train/a.mp4")


def test_a_file_of_which_a_window_is_used_is_left_out_in_part() -> None:
    parents = ["mine/train/a", "mine/train/a", "mine/train/b", "mine/train/c"]
    reasons = [None, "excluded: blurred", "is empty", None]
    rows = indexed(parents, "train", reasons)
    measured = ReportContents("smoke", "mine", (0,), measured=[], between=[], ids=[], skipped_files=skipped_files(rows))
    text = render_user_report(UserReport(card_of({}, train=3), measured, SkippedRuns(), rows, notes=[], pictures=[]))
    assert "\n1 of 3 files is used for nothing, 1 in part. Those" in text
    assert "| `mine/train/a` | in part: excluded: blurred |" in text
    assert "| `mine/train/b` | is empty                   |" in text


def measured_on(labels: list[str], broken: list[str], folder: Path) -> str:
    """labels: of each usable test file; broken: of those that are none. The table's words, unwrapped."""
    files = [f"mine/test/{number}" for number in range(len(labels) + len(broken))]
    reasons = [None] * len(labels) + [BROKEN] * len(broken)
    rows = indexed(files, "test", reasons, label_class=labels + broken)
    result = read_result(folder)
    found = numbers.measure([result], references={}, draws=50, seed=0)
    ids = with_seeds(result.evaluation.ids())
    card = card_of({"class": Label(of="clip", classes=CLASSES)}, train=1, validation=1, test=len(rows))
    skipped = skipped_files(rows)
    report = ReportContents("smoke", "mine", (0,), measured=found, between=[], ids=ids, skipped_files=skipped)
    return " ".join(render_user_report(UserReport(card, report, SkippedRuns(), rows, notes=[], pictures=[])).split())


@pytest.mark.parametrize(
    ("labels", "broken", "said"),
    [
        (["a"], ["b_c"], "**Few test files**: tested on 1 file alone: its interval has no width"),
        (["a", "b_c", "d"] * 3, ["a"], "tested on 9 files alone: with fewer than 10 even the intervals say little"),
        (["a", "b_c", "d"] * 4, ["a"], ""),
        (["a", "b_c"] * 6, ["d"], "no test file is of 1 of the 3 classes (`d`), so the numbers say nothing of it."),
        (
            ["b_c"] * 12,
            [],
            "of 2 of the 3 classes (`a`, `d`), so the numbers say nothing of them: with one class there",
        ),
    ],
)
def test_what_takes_the_meaning_from_numbers_is_said(
    evaluation: Write, labels: list[str], broken: list[str], said: str
) -> None:
    text = measured_on(labels, broken, evaluation("rotation", right=120, on="mine"))
    assert said in text
    for caution, given in (("**Few test files**", len(labels) < 10), ("**Classes missing**", len(set(labels)) < 3)):
        assert (caution in text) == given


def test_pictures_that_show_something_are_linked() -> None:
    text = table("mine/train/a.mp4", pictures=["training-curves.png", "neighbours.png"])
    links = re.findall(r"^- \[(.*?)\]\(figures/(.*?)\): \w", text, re.MULTILINE)
    assert links == [("training-curves.png", "training-curves.png"), ("neighbours.png", "neighbours.png")]
    assert "## Pictures" not in table("mine/train/a.mp4")
    assert "![" not in text  # of what was decoded: nothing


def test_files_under_two_names_are_said_with_their_places() -> None:
    rows = indexed(
        ["mine/train/a/1", "mine/train/a/2", "mine/train/b_c/1", "mine/test/b_c/1", "mine/test/d/1"],
        ["train", "train", "train", "test", "test"],
        [None, None, BROKEN, None, None],
        label_class=["a", "a", "b_c", "b_c", "d"],
    ).assign(origin=["x", "x", "x", "x", "y"])
    measured = ReportContents("smoke", "mine", (0,), measured=[], between=[], ids=[], skipped_files=skipped_files(rows))
    card = card_of({"class": Label(of="clip", classes=CLASSES)}, train=3, test=2)
    text = " ".join(render_user_report(UserReport(card, measured, SkippedRuns(), rows, notes=[], pictures=[])).split())
    places = r"1 in train/a and test/b\_c, 1 twice in train/a"
    names = "`mine/test/b_c/1` is `mine/train/a/1`, `mine/train/a/2` is `mine/train/a/1`"
    assert f"2 files are used twice, by a link or as a copy: {places} ({names})." in text
    assert "used twice" not in table("mine/train/a.mp4")


@pytest.mark.parametrize("name", ["mine/train/it's;$(ls).mp4", "mine/train/`a`.mp4", "mine/train/plain.mp4"])
def test_the_printed_command_names_the_file_for_a_shell(name: str) -> None:
    (line,) = [line for line in table(name).splitlines() if "audit --file" in line]
    words = shlex.split(line, comments=True)
    assert words == ["python", "-m", "pipeline", "audit", "--file", name, "--scale", "smoke"]


def test_a_files_name_may_hold_backticks() -> None:
    assert "| ``mine/train/`a`.mp4`` | is empty |" in table("mine/train/`a`.mp4")


@pytest.mark.parametrize(
    ("text", "expected"), [("a", "`a`"), ("a`b", "``a`b``"), ("a``b`c", "```a``b`c```"), ("`a", "`` `a ``")]
)
def test_a_fence_is_longer_than_what_it_holds(text: str, expected: str) -> None:
    assert code(text) == expected
