"""What a rule's job runs: one verb of the pipeline, its standard error in the rule's log; and what that log says."""

import re
from pathlib import Path

from pipeline.lineage.receipts import PLANNED

RAISED = re.compile(r"^(\w+\.)*\w*(Error|Exception|Interrupt)\b")
"""The line that ends a traceback."""
LEFT_OUT = re.compile(r"files? (is|are) left out$")
"""The line of a decoder's log after which it says which files it could not use, and why."""


def command(verb: str, *wildcards: str, planned: bool = True, **options: str) -> str:
    """The shell command of a rule. wildcards: handed to the verb as options of their names; options: likewise, with a
    placeholder of Snakemake's as value. planned: whether the rule's params say what its job was planned with.

    Nothing is printed here, not even of a job that fails: the terminal reads the logs (`pipeline.terminal`), so that
    jobs that run side by side, or on a cluster, do not write across each other.
    """
    values = {name: f"{{wildcards.{name}}}" for name in wildcards} | options
    words = [f"{PLANNED}={{params.planned}}"] * planned + ["python -m pipeline", verb]
    words += [f"--{name} {value}" for name, value in values.items()]
    return " ".join([*words, "2> {log}"])


def error_in(log: Path) -> str:
    """The line of a failed job's log that says why: `error: ...`, else the end of its traceback, else its last line;
    empty for a log that says nothing."""
    lines = _lines(log)
    for is_it in (lambda line: line.startswith("error: "), RAISED.match, str.strip):
        if found := [line for line in lines if is_it(line)]:
            return found[-1]
    return ""


def warnings_in(log: Path) -> list[str]:
    """Lines of a finished job's log that a person should see: warnings, and which files were left out."""
    lines = _lines(log)
    begin = next((number for number, line in enumerate(lines) if LEFT_OUT.search(line)), len(lines))
    return [line for line in lines[:begin] if line.startswith("warning: ")] + lines[begin:]


def last_line(log: Path) -> str:
    """What a running job's log said last; empty before it says anything."""
    return next((line for line in reversed(_lines(log, last=4096)) if line.strip()), "")


def _lines(log: Path, last: int | None = None) -> list[str]:
    """last: bytes of the file's end, at most."""
    try:
        with log.open("rb") as file:
            if last is not None:
                file.seek(max(0, file.seek(0, 2) - last))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
