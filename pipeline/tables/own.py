"""table.md of somebody's own files: what was measured, what was not and why, what is in the data, what was left out.

The lecture's tables are not in it: their published numbers are of other data.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.cards import Card
from pipeline.layout import EXCLUDED
from pipeline.store import index
from pipeline.tables.aliases import short_alias
from pipeline.tables.left_out import counted, named, partly
from pipeline.tables.markdown import Report, between_runs, measured_here, overlap_section, smoke
from pipeline.tables.mined import mined_section
from pipeline.tables.text import code, grid, item, number_of, paragraph, percent

FEW_FILES = 10
"""Test files, below which a bootstrap's interval is no measure of what is not known: it redraws the few there are."""
SHOWN_CLASSES = 12
"""Of those missing, before the rest is counted."""


@dataclass(frozen=True)
class OwnReport:
    """measured: what every report has. not_run: why, by run or protocol. rows: the indices of all splits. notes: what a
    run did otherwise than params.yaml says, and why."""

    card: Card
    measured: Report
    not_run: Mapping[str, str]
    rows: pd.DataFrame
    notes: Sequence[str]


def render(report: OwnReport) -> str:
    """The whole of table.md. The same arguments give the same bytes."""
    parts = [
        f"# {report.card.title}",
        *_introduction(report),
        "## Measured here",
        *(_measured(report) if report.measured.measured else [paragraph("Nothing: see below.")]),
        *between_runs(report.measured),
        *(["\n".join(item(note) for note in report.notes)] if report.notes else []),
        *_not_run(report),
        "## The data",
        *_data(report),
        "## Left out",
        *_left_out(report),
        *mined_section(report.measured.mined),
        *overlap_section(report.measured),
        "## Where a number comes from",
        *_audit(report),
    ]
    return "\n\n".join(parts) + "\n"


def _introduction(report: OwnReport) -> list[str]:
    measured = report.measured
    seeds = ", ".join(map(str, measured.seeds))
    return [
        paragraph(
            f"""{report.card.description}. Dataset `{report.card.name}` ({report.card.modality}), scale
            `{measured.scale}`, {"seed" if len(measured.seeds) == 1 else "seeds"} {seeds}. *Measured* means: pretrained
            on its training split by this pipeline, last checkpoint, every choice made on the validation split, scored
            once on the test split; in parentheses the 95 % interval, by bootstrap over files (and seeds, where there
            are several). With few test files the intervals are wide: read them before the numbers."""
        ),
        *smoke(measured.scale),
    ]


def _measured(report: OwnReport) -> list[str]:
    cautions = _cautions(report)
    return [*(["\n".join(item(one) for one in cautions)] if cautions else []), *measured_here(report.measured)]


def _cautions(report: OwnReport) -> list[str]:
    """What takes the meaning from the numbers: too few test files, classes that none of them is of."""
    used = _usable(report.rows, "test")
    cautions = []
    files = used["parent"].nunique()
    if files < FEW_FILES:
        why = (
            "tested on 1 file alone: its interval has no width, and yet the number says next to nothing"
            if files == 1
            else f"tested on {files} files alone: with fewer than {FEW_FILES} even the intervals say little"
        )
        cautions.append(f"**Few test files**: {why}.")
    label = report.card.main
    if label is None:
        return cautions
    classes = report.card.labels[label].classes
    there = set(used[f"label_{label}"])
    missing = [one for one in classes if one not in there]
    if missing:
        named = ", ".join(code(one) for one in missing[:SHOWN_CLASSES])
        more = f" and {len(missing) - SHOWN_CLASSES} more" if len(missing) > SHOWN_CLASSES else ""
        alone = ": with one class there, whoever always named it would be right" if len(there) == 1 else ""
        cautions.append(
            f"**Classes missing**: no test file is of {len(missing)} of the {len(classes)} classes ({named}{more}), so "
            f"the numbers say nothing of {'it' if len(missing) == 1 else 'them'}{alone}."
        )
    return cautions


def _usable(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    mine = rows[rows["split"] == split]
    return mine.iloc[index.usable(mine)]


def _not_run(report: OwnReport) -> list[str]:
    if not report.not_run:
        return []
    return ["## Not run", "\n".join(item(f"{name}: not run: {reason}") for name, reason in report.not_run.items())]


def _data(report: OwnReport) -> list[str]:
    label = report.card.main
    lines = []
    for split in report.card.splits:
        mine = report.rows[report.rows["split"] == split]
        used = _usable(report.rows, split)
        classes = str(used[f"label_{label}"].nunique()) if label else ""
        lines.append([split, str(mine["parent"].nunique()), str(used["parent"].nunique()), str(len(used)), classes])
    counts = _usable(report.rows, "test")[f"label_{label}"].value_counts() if label else pd.Series(dtype=int)
    largest = []
    if len(counts) > 1:
        share = percent(counts.max() / counts.sum())
        largest = [
            paragraph(
                f"""Whoever always named the largest class would be right in {share} % of the test windows: with uneven
                classes that, not chance, is what a number has to exceed."""
            )
        ]
    return [
        grid(["Split", "Files", "Used", "Windows", "Classes"], lines, right=frozenset({1, 2, 3, 4})),
        *largest,
        f"![Windows of the training split, as they were decoded](figures/{report.card.name}.png)",
        paragraph(f"`python -m pipeline show {report.card.name} --scale {report.measured.scale}` draws more of it."),
    ]


def _left_out(report: OwnReport) -> list[str]:
    files = report.measured.left_out
    if not files:
        return [paragraph(f"Nothing: `{EXCLUDED}` names none of its files, and every one could be used.")]
    whole = number_of(report.rows["parent"].nunique(), "file")
    wholly, in_part = counted(files) - partly(files), partly(files)
    parts = f", {in_part} in part" if in_part else ""
    intro = f"""{wholly} of {whole} {"is" if wholly == 1 else "are"} used for nothing{parts}. Those marked *excluded*
        stand in `{EXCLUDED}`."""
    return [paragraph(intro), *named(files)]


def _audit(report: OwnReport) -> list[str]:
    name, scale = report.card.name, report.measured.scale
    commands = {}
    if report.measured.measured:
        alias = short_alias(report.measured.measured[0].id, report.measured.ids)
        commands[f"{alias} --dataset {name} --scale {scale}"] = "a number, back to the files behind it"
    clips = report.rows["parent"].tolist()
    if clips:
        commands[f"--file {shlex.quote(clips[0])} --scale {scale}"] = "a file, on to the numbers that it touched"
    return ["\n".join(f"    python -m pipeline audit {what}   # {why}" for what, why in commands.items())]
