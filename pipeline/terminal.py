"""What Snakemake shows while it runs: one bar with the time that is left and what runs now; at the end, why it failed.

In a log (CI, a file) the bar's words come as a line every half a minute. Snakemake's own listing of every job goes on
into `.snakemake/log`. Its plug-in `rich` was tried: it shows no time left and nothing of a running job, prints whole
logs of what fails, and leaves `snakemake -n` without its list of jobs.
"""

import csv
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any, TextIO

from pipeline import jobs

HEARTBEAT = 30.0
"""Seconds between lines where there is no terminal."""
KILLED = "error: killed from outside, most likely for want of memory: `snakemake --resources mem_mb=...` allows less"
NOT_NAMED = {"scale"}
"""Wildcards that are the same in all jobs of a run, or nearly so."""


@dataclass
class Job:
    """One that runs."""

    rule: str
    title: str
    logs: list[Path]
    begun: float = field(default_factory=lambda: time.monotonic())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    def text(self) -> str:
        said = next((line for line in map(jobs.last_line, self.logs) if line), "")
        return f"{self.title}  {clock(self.seconds)}" + (f"  {said}" if said else "")


class Board:
    """How far a run of Snakemake is, in numbers."""

    def __init__(self, counts: Mapping[str, int], earlier: Mapping[str, float]) -> None:
        """counts: jobs to run, by rule. earlier: seconds that a rule's jobs took before, for rules of which that is
        known."""
        self.total = sum(counts.values())
        self.running: dict[int, Job] = {}
        self.done = 0
        self._left = Counter(counts)
        self._seconds: dict[str, list[float]] = {}
        self._earlier = earlier
        self._begun = time.monotonic()

    def start(self, number: int, job: Job) -> None:
        self.running[number] = job

    def finish(self, number: int) -> Job | None:
        """None for a job that was not seen to start."""
        job = self.running.pop(number, None)
        if job:
            self.done += 1
            self._left[job.rule] -= 1
            self._seconds.setdefault(job.rule, []).append(job.seconds)
        return job

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._begun

    def seconds_left(self) -> float | None:
        """Each rule's jobs last as long as they did before, or as those of this run did; shared among as many as have
        run side by side so far. None while most jobs are of rules of which nothing is known."""
        finished = [seconds for found in self._seconds.values() for seconds in found]
        known = finished or list(self._earlier.values())
        unknown = sum(self._left[rule] for rule in self._left if rule not in {*self._seconds, *self._earlier})
        if not known or 2 * unknown > self.total - self.done:
            return None
        running = list(self.running.values())
        work = 0.0
        for rule, count in self._left.items():
            each = mean(self._seconds[rule]) if rule in self._seconds else self._earlier.get(rule, mean(known))
            begun = [job.seconds for job in running if job.rule == rule]
            work += (count - len(begun)) * each + sum(max(0.0, each - seconds) for seconds in begun)
        spent = sum(finished) + sum(job.seconds for job in running)
        return work / max(1.0, spent / max(self.elapsed, 1e-9))

    def text(self) -> str:
        """`12 of 65 jobs, 1:05, about 4 min left`"""
        left = self.seconds_left()
        return (
            f"{self.done} of {self.total} jobs, {clock(self.elapsed)}{f', about {_about(left)} left' if left else ''}"
        )


class Terminal(logging.Handler):
    """Takes the place of Snakemake's own handler once its jobs start."""

    def __init__(self, board: Board | None, stream: TextIO, alone: bool = True) -> None:
        """board: None where progress is not wanted: then only why jobs failed is said. alone: whether nobody else says
        what goes wrong outside jobs."""
        super().__init__()
        self._board = board
        self._alone = alone
        self._stream = stream
        self._failed: list[tuple[str, str, str]] = []
        self._errors: list[str] = []
        self._raised: dict[int | None, str] = {}
        self._closed = threading.Event()
        self._live: Any = None
        if board and stream.isatty():
            self._live = _live(board, stream)
            self._live.start()
        elif board:
            self._say(board.text())
            threading.Thread(target=self._beat, args=(board,), daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        event = str(getattr(record, "event", None) or "")
        known = vars(record)
        if event == "job_info" and self._board:
            title = _title(known["rule_name"], known["wildcards"] or {})
            self._board.start(
                known["jobid"], Job(_kind(known["rule_name"]), title, [Path(log) for log in known["log"] or []])
            )
        elif event == "job_finished" and self._board:
            self._finished(known["job_id"])
        elif event == "job_error":
            self._failure(record)
        elif event == "error":
            # Said before the job's own, in the same thread: which command failed, and how it ended.
            self._raised[record.thread] = record.getMessage()
            self._errors.append(record.getMessage())
        elif (
            not event and self._board and record.levelno >= logging.WARNING and not _is_about_jobs(record.getMessage())
        ):
            self._say(record.getMessage())

    def close(self) -> None:
        """Snakemake's last act: how it ended, and of what failed, last, the job's own error."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._live:
            self._live.stop()
        if self._failed:
            self._errors = [text for text in self._errors if not _is_about_jobs(text)]
        for text in self._errors if self._alone else []:
            self._say(text)
        if self._board:
            self._say(f"{self._board.done} of {self._board.total} jobs done in {clock(self._board.elapsed)}")
        for title, logs, error in self._failed:
            self._say(f"failed: {title}; log: {logs}\n{error}")
        super().close()

    def _finished(self, number: int) -> None:
        assert self._board
        job = self._board.finish(number)
        for line in (line for log in (job.logs if job else []) for line in jobs.warnings_in(log)):
            self._say(line)

    def _failure(self, record: logging.LogRecord) -> None:
        known = vars(record)
        job = self._board.running.pop(known["jobid"], None) if self._board else None
        logs = [Path(log) for log in known["log"] or []]
        how = self._raised.pop(record.thread, "")
        error = next((line for line in map(jobs.error_in, logs) if line), "error: it ended without a word")
        if "exit status 137" in how or "SIGKILL" in how:
            error = KILLED
        self._failed.append((job.title if job else known["rule_name"], ", ".join(map(str, logs)), error))

    def _beat(self, board: Board) -> None:
        while not self._closed.wait(HEARTBEAT):
            with self.lock or threading.RLock():
                self._say("; ".join([board.text(), *(job.text() for job in board.running.values())]))

    def _say(self, text: str) -> None:
        if self._live and self._live.is_started:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=self._stream, flush=True)


def follow(workflow: Any) -> None:
    """To be called by the Snakefile's onstart. With --verbose or the like Snakemake's own listing stays."""
    manager, settings = workflow.logger_manager, workflow.output_settings
    quiet = {str(getattr(about, "name", about)).lower() for about in settings.quiet or ()}
    own = not (settings.verbose or settings.printshellcmds or settings.debug_dag)
    shown = own and not quiet & {"all", "progress"}
    planned = list(workflow.dag.needrun_jobs())
    board = Board(Counter(_kind(job.rule.name) for job in planned), earlier_seconds(planned)) if shown else None
    if own:
        for handler in [handler for handler in manager.logger.handlers if handler.name == "DefaultStreamHandler"]:
            manager.logger.removeHandler(handler)
    manager.logger.addHandler(Terminal(board, sys.stdout if settings.stdout else sys.stderr, own))


def clock(seconds: float) -> str:
    """`1:05`, `1:02:03`"""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _kind(rule: str) -> str:
    """The stage of a rule: `evaluate` of each of the rules that evaluate."""
    return rule.partition("_")[0]


def _title(rule: str, wildcards: Mapping[str, Any]) -> str:
    """`evaluate toyworld-stills rotation seed 0 linear`"""
    words = {name: f"seed {value}" if name == "seed" else str(value) for name, value in wildcards.items()}
    return " ".join(dict.fromkeys([rule, *(word for name, word in words.items() if name not in NOT_NAMED)]))


def earlier_seconds(planned: Iterable[Any]) -> dict[str, float]:
    """planned: Snakemake's jobs. Mean seconds by rule, of their own benchmarks or else of those beside them."""
    found: dict[str, list[float]] = {}
    for job in planned:
        if job.benchmark:
            path = Path(job.benchmark)
            for file in [path] if path.exists() else path.parent.glob("*.tsv"):
                with file.open() as lines:
                    seconds = [float(row["s"]) for row in csv.DictReader(lines, delimiter="	")]
                found.setdefault(_kind(job.rule.name), []).extend(seconds)
    return {rule: mean(seconds) for rule, seconds in found.items() if seconds}


def _is_about_jobs(text: str) -> bool:
    """What Snakemake says of failed jobs in general, where each of them is told with its own error."""
    said = ("CalledProcessError", "At least one job did not complete", "Exiting because a job execution failed")
    return any(words in text for words in said)


def _live(board: Board, stream: TextIO) -> Any:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    def render() -> Group:
        running = [Text(f"  {job.text()}", no_wrap=True, overflow="ellipsis") for job in list(board.running.values())]
        return Group(
            *running, ProgressBar(total=max(1, board.total), completed=board.done, width=40), Text(board.text())
        )

    console = Console(file=stream)
    return Live(console=console, get_renderable=render, refresh_per_second=2, transient=True)
