"""What a rule's job runs, and what its log is read for."""

from pathlib import Path

import pytest

from pipeline import jobs
from pipeline.lineage.receipts import PLANNED

TRACE = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nValueError: it is\nbroken\n'


def test_a_command_hands_wildcards_on_and_keeps_the_log() -> None:
    assert jobs.command("fetch", "scale", "dataset", workers="{threads}") == (
        f"{PLANNED}={{params.planned}} python -m pipeline fetch"
        " --scale {wildcards.scale} --dataset {wildcards.dataset} --workers {threads} 2> {log}"
    )
    assert jobs.command("index", "split", planned=False).startswith("python -m pipeline index --split")


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("error: old\nstep 1\nerror: params.yaml: seeds: missing\n", "error: params.yaml: seeds: missing"),
        ("error: params.yaml: seeds: missing\nbye\n", "error: params.yaml: seeds: missing"),
        (TRACE, "ValueError: it is"),
        (TRACE.replace("ValueError", "torch.OutOfMemoryError"), "torch.OutOfMemoryError: it is"),
        ("bash: python: command not found\n\n", "bash: python: command not found"),
        ("", ""),
    ],
)
def test_of_a_failed_job_the_line_that_says_why(log: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    path.write_text(log)
    assert jobs.error_in(path) == expected


def test_a_log_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    missing = tmp_path / "none.log"
    assert (jobs.error_in(missing), jobs.warnings_in(missing), jobs.last_line(missing)) == ("", [], "")


def test_warnings_and_files_left_out_are_shown_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    path.write_text("decoding: 50 %\nwarning: a\ntrain-000: 2 of 9 files are left out\n  'b' is empty\n")
    assert jobs.warnings_in(path) == ["warning: a", "train-000: 2 of 9 files are left out", "  'b' is empty"]
    path.write_text("train-000: all 9 files are used\n")
    assert jobs.warnings_in(path) == []


def test_the_last_line_of_a_long_log(tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    path.write_text("step 1\n" * 10_000 + "step 2\n\n")
    assert jobs.last_line(path) == "step 2"
