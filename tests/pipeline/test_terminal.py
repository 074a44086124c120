"""What is shown while Snakemake runs: records as Snakemake makes them, in; the words of a log or a bar, out."""

import io
import logging
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline import terminal
from pipeline.terminal import Board, Job, Terminal, clock
from tests.project import ROOT


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def record(event: str | None, message: str = "", level: int = logging.INFO, **known: Any) -> logging.LogRecord:
    made = logging.LogRecord("snakemake.logging", level, "", 0, message, None, None)
    vars(made).update(known, event=event)
    return made


def started(number: int, rule: str, log: Path, **wildcards: str) -> logging.LogRecord:
    return record("job_info", jobid=number, rule_name=rule, wildcards=wildcards, log=[str(log)])


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the clock shows."""
    shown = [100.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: shown[0])
    return shown


def board(**counts: int) -> Board:
    return Board(counts, {})


def run(made: Board, number: int, rule: str, now: list[float], seconds: float) -> None:
    made.start(number, Job(rule, rule, []))
    now[0] += seconds
    made.finish(number)


def test_time_left_is_that_of_the_jobs_of_each_rule(now: list[float]) -> None:
    made = board(decode=3, index=2)
    assert made.seconds_left() is None
    run(made, 1, "decode", now, 10.0)
    run(made, 2, "index", now, 2.0)
    assert made.seconds_left() == pytest.approx(2 * 10 + 2)
    made.start(3, Job("decode", "decode", []))
    now[0] += 4.0
    assert made.seconds_left() == pytest.approx(6 + 10 + 2)
    assert made.text() == "2 of 5 jobs, 0:16, about 20 s left"


def test_jobs_side_by_side_share_the_time_left(now: list[float]) -> None:
    made = board(decode=4)
    for number in (1, 2):
        made.start(number, Job("decode", "decode", []))
    now[0] += 10.0
    for number in (1, 2):
        made.finish(number)
    assert made.seconds_left() == pytest.approx(10.0)


def test_no_time_is_told_while_most_jobs_are_of_an_unknown_kind(now: list[float]) -> None:
    made = board(fetch=1, pretrain=9)
    run(made, 1, "fetch", now, 60.0)
    assert made.seconds_left() is None


@pytest.mark.parametrize("name", ["rotation.0.tsv", "colour.0.tsv"])
def test_an_earlier_run_says_how_long_a_rule_takes(name: str, tmp_path: Path) -> None:
    (tmp_path / "rotation.0.tsv").write_text("s\th:m:s\tmax_rss\n30.0\t0:00:30\t1000\n")
    job = SimpleNamespace(rule=SimpleNamespace(name="pretrain"), benchmark=str(tmp_path / name))
    aggregate = SimpleNamespace(rule=SimpleNamespace(name="table"), benchmark=None)
    earlier = terminal.earlier_seconds([job, aggregate])
    assert earlier == {"pretrain": 30.0}
    assert Board({"pretrain": 3}, earlier).seconds_left() == pytest.approx(90.0)


def test_a_failed_jobs_own_error_is_the_last_line_after_where_its_log_is(tmp_path: Path) -> None:
    log, out = tmp_path / "job.log", io.StringIO()
    shown = Terminal(board(pretrain=2), out)
    log.write_text("step 1\nerror: params.yaml: seeds: missing\n")
    shown.handle(started(7, "pretrain", log, scale="smoke", run="rotation", seed="0"))
    shown.handle(record("error", "CalledProcessError in file x:\nreturned non-zero exit status 1", logging.ERROR))
    shown.handle(record("job_error", jobid=7, rule_name="pretrain", log=[str(log)], level=logging.ERROR))
    shown.handle(record("error", "WorkflowError:\nAt least one job did not complete successfully.", logging.ERROR))
    shown.close()
    assert out.getvalue().splitlines()[-3:] == [
        "0 of 2 jobs done in 0:00",
        f"failed: pretrain rotation seed 0; log: {log}",
        "error: params.yaml: seeds: missing",
    ]
    assert "WorkflowError" not in out.getvalue()
    assert "CalledProcessError" not in out.getvalue()


@pytest.mark.parametrize(
    ("how", "expected"),
    [("non-zero exit status 137", terminal.KILLED), ("non-zero exit status 1", "error: it ended without a word")],
)
def test_a_job_that_says_nothing_may_have_been_killed(how: str, expected: str, tmp_path: Path) -> None:
    out = io.StringIO()
    shown = Terminal(None, out)
    shown.handle(record("error", f"CalledProcessError: returned {how}.", logging.ERROR))
    shown.handle(record("job_error", jobid=1, rule_name="decode", log=[str(tmp_path / "none.log")]))
    shown.close()
    assert out.getvalue().splitlines() == [f"failed: decode; log: {tmp_path / 'none.log'}", expected]


def test_what_goes_wrong_outside_jobs_is_told() -> None:
    out = io.StringIO()
    shown = Terminal(board(decode=1), out)
    shown.handle(record(None, "Removing output files", logging.INFO))
    shown.handle(record(None, "disk is slow", logging.WARNING))
    shown.handle(record("error", "WorkflowError:\nno space left", logging.ERROR))
    shown.close()
    assert out.getvalue().splitlines()[1:4] == ["disk is slow", "WorkflowError:", "no space left"]


def test_a_finished_jobs_warnings_are_shown(tmp_path: Path) -> None:
    log, out = tmp_path / "job.log", io.StringIO()
    shown = Terminal(board(index=1), out)
    shown.handle(started(1, "index", log))
    log.write_text("warning: data/excluded.txt:3: no such clip\n")
    shown.handle(record("job_finished", job_id=1))
    shown.close()
    assert out.getvalue().splitlines() == [
        "0 of 1 jobs, 0:00",
        "warning: data/excluded.txt:3: no such clip",
        "1 of 1 jobs done in 0:00",
    ]


def test_a_log_hears_of_what_runs_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "HEARTBEAT", 0.01)
    log, out = tmp_path / "job.log", io.StringIO()
    shown = Terminal(board(fetch=1), out)
    log.write_text("rendering toyworld: 40 %, 88 of 220\n")
    shown.handle(started(1, "fetch", log, scale="smoke", dataset="toyworld"))
    until = time.monotonic() + 10.0
    while "rendering" not in out.getvalue() and time.monotonic() < until:
        time.sleep(0.01)
    shown.close()
    assert "0 of 1 jobs, 0:00; fetch toyworld  0:00  rendering toyworld: 40 %, 88 of 220" in out.getvalue()


def test_a_terminal_shows_a_bar_and_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    log, out = tmp_path / "job.log", Screen()
    shown = Terminal(board(fetch=2), out)
    log.write_text("rendering toyworld: 40 %, 88 of 220\n")
    shown.handle(started(1, "fetch", log, scale="smoke", dataset="toyworld"))
    shown._live.refresh()
    shown.close()
    assert "fetch toyworld" in out.getvalue()
    assert "88 of 220" in out.getvalue()
    assert "━" in out.getvalue()
    assert out.getvalue().rstrip().endswith("0 of 2 jobs done in 0:00")


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (65, "1:05"), (3723, "1:02:03")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


SNAKEFILE = """
from pipeline import terminal

rule all:
    input: "made.txt"

rule make:
    output: "made.txt"
    log: "make.log"
    shell: "echo 'error: clip 7: no frames. Delete it.' 2> {log} >&2; exit {config[status]}"

onstart:
    terminal.follow(workflow)
"""


@pytest.mark.parametrize("options", [[], ["--quiet", "all"]])
def test_with_snakemake_itself_the_error_comes_last(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(textwrap.dedent(SNAKEFILE))
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "all", "--config", "status=1", *options],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == ["failed: make; log: make.log", "error: clip 7: no frames. Delete it."]
