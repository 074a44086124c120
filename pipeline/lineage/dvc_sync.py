"""Where Snakemake and DVC meet: what both depend on, recording one's work in the other, restoring a clone."""

import subprocess
from collections.abc import Collection
from pathlib import Path

from pipeline import cards, paths, process
from pipeline.errors import UserError
from pipeline.files import write_text
from pipeline.lineage import exclusions, fingerprints, folder_digest
from pipeline.parameters import Parameters
from pipeline.tables import readme

TARGET = "reports/table.md"
LOCK = Path("dvc.lock")
README = Path("README.md")


def refresh(parameters: Parameters, scale: str) -> list[Path]:
    """Write what stands for code, exclusions and somebody's own files where it has changed; returns the written."""
    return (
        fingerprints.refresh(parameters, scale)
        + exclusions.refresh(scale, cards.names())
        + folder_digest.refresh(scale)
    )


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """A command of this environment, its output kept."""
    process.rules_use_this_environment()
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _must(what: str, *command: str) -> str:
    done = _run(*command)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise UserError(f"{what}: `{' '.join(command)}` failed: {lines[-1]}")
    return done.stdout + done.stderr


def pending() -> list[str]:
    """Rules that Snakemake would run for the table."""
    text = _must("asking Snakemake what is left to do", "snakemake", TARGET, "--dry-run")
    # A table of rules and counts, between a line of dashes and the total.
    _, found, rest = text.partition("Job stats:\n")
    rows = [line.split() for line in rest.partition("total")[0].splitlines()[2:]] if found else []
    return [row[0] for row in rows if len(row) == 2 and row[1].isdigit()]


def record(parameters: Parameters) -> None:
    """Writes dvc.lock anew, without stages that dvc.yaml has no more. Raises UserError while Snakemake has something to
    do, since dvc.lock would certify what was not made; and where the README prints other numbers than the report."""
    jobs = pending()
    if jobs:
        raise UserError(
            f"Snakemake has {', '.join(jobs)} left to do; `snakemake --cores all {TARGET}` first, then record"
        )
    metrics = paths.published_report() / "metrics.json"
    if README.exists() and not readme.is_current(README, metrics, parameters):
        raise UserError(
            f"{README}: prints other numbers than {metrics}; `python -m pipeline readme` first, then record"
        )
    _must("recording in dvc.lock", "dvc", "commit", "--force", "--quiet")
    listed = _must("asking DVC for its stages", "dvc", "stage", "list", "--name-only", "--quiet")
    text = LOCK.read_text(encoding="utf-8")
    if (kept := pruned(text, listed.split())) != text:
        write_text(LOCK, kept)
    print("recorded in dvc.lock; commit it with git, and `dvc push` what it names")


def pruned(lock: str, stages: Collection[str]) -> str:
    """The text of a dvc.lock without the entries of other stages: `dvc commit` keeps those of runs that are no more."""
    lines, keeps = [], True
    for line in lock.splitlines(keepends=True):
        if line.startswith("  ") and not line.startswith(("   ", "  -")):
            keeps = line.strip().rstrip(":").strip("'\"") in stages
        elif not line.startswith(" "):
            keeps = True
        if keeps:
            lines.append(line)
    return "".join(lines)


def restore() -> None:
    """Raises UserError when DVC does not find all that dvc.lock names, or Snakemake would still run something."""
    # Files under version control may have changed since the lock was written, in ways that fingerprints see through.
    _must("refreshing fingerprints", "dvc", "repro", "--quiet", "fingerprint")
    status = _run("dvc", "status", "--quiet")
    if status.returncode:
        raise UserError("DVC has changes or misses files (`dvc status` names them); `dvc pull` first, then restore")
    _must(
        "marking everything as made",
        "snakemake",
        TARGET,
        "--touch",
        "--forceall",
        "--no-hooks",
        "--cores",
        "1",
        "--quiet",
        "all",
    )
    jobs = pending()
    if jobs:
        raise UserError(f"Snakemake would still run {', '.join(jobs)}; `snakemake -n {TARGET}` says why")
    print("restored: neither Snakemake nor DVC has anything left to do")
