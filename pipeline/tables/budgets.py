"""budgets.md: what each run and each evaluation cost. Beside the tables, since no two runs of anything take as long."""

from collections.abc import Sequence
from typing import Any

from pipeline.tables.markdown import grid, paragraph

MEGABYTE = 1e6
JOB = ("Job s", "MB", "Device", "Precision")


def render_budgets(runs: Sequence[dict[str, Any]], evaluations: Sequence[dict[str, Any]]) -> str:
    """The page. runs, evaluations: their receipts."""
    parts = [
        "# What it cost",
        paragraph(
            """Training: seconds of the loop, its data and views with it, and how many entries (images, for rotation in
            all their turns; clips of several frames; tuples of three frames; pairs) went through it. Job: seconds from
            the hashing of what it reads to that of what it wrote, without its imports, and the peak memory of its
            process, the mapped store with it. Jobs may have run side by side. A run that was resumed counts its last
            part only."""
        ),
        "## Pretraining",
        grid(
            ["Run", "Seed", "Parameters", "Steps", "Entries seen", "Training s", "Entries/s", *JOB],
            [_run(one) for one in runs],
            right=frozenset({2, 3, 4, 5, 6, 7, 8}),
        ),
        "## Evaluation",
        grid(
            ["Run", "Seed", "On", "Protocol", *JOB],
            [
                [f"`{one['run']}`", str(one["seed"]), f"`{one['on']}`", f"`{one['protocol']}`", *_job(one)]
                for one in evaluations
            ],
            right=frozenset({4, 5}),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _run(receipt: dict[str, Any]) -> list[str]:
    notes = receipt["notes"]
    trains = notes["steps"] > 0
    resumed = f" (from step {notes['resumed_from_step']})" if notes.get("resumed_from_step") else ""
    return [
        f"`{receipt['run']}`",
        str(receipt["seed"]),
        f"{notes['parameters_of_encoder']:,}",
        f"{notes['steps']:,}{resumed}",
        f"{notes['images_seen']:,}",
        f"{notes['seconds_of_training']:.0f}" if trains else "",
        f"{notes['images_per_second']:.0f}" if trains else "",
        *_job(receipt),
    ]


def _job(receipt: dict[str, Any]) -> list[str]:
    return [
        f"{receipt['seconds']:.0f}",
        f"{receipt['peak_memory_bytes'] / MEGABYTE:.0f}",
        receipt["notes"]["device"],
        receipt["notes"]["precision"] or "",
    ]
