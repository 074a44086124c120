"""table.md of somebody's own files: names stand as they are, whatever is in them."""

import shlex

import pandas as pd
import pytest

from pipeline.cards import Card
from pipeline.tables.left_out import left_out
from pipeline.tables.markdown import Report
from pipeline.tables.own import OwnReport, render
from pipeline.tables.text import code


def table(*names: str) -> str:
    """Of files that could not be used."""
    card = Card(
        name="mine",
        kind="folder",
        root="/somewhere",
        modality="video",
        title="Mine",
        description="Files",
        licence="",
        citation="",
        labels={},
        splits=["train"],
        files={"train": len(names)},
    )
    rows = pd.DataFrame({"parent": names, "split": "train", "reason": "is empty"})
    measured = Report("smoke", "mine", (0,), "random", measured=[], ids=[], left_out=left_out(rows))
    return render(OwnReport(card, measured, not_run={}, rows=rows, notes=[]))


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
