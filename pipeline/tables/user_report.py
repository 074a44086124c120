"""table.md of somebody's own files: what was measured, what was not and why, what is in the data, what was left out.

The lecture's tables are not in it: their published numbers are of other data.
"""

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from pipeline.cards import Card
from pipeline.paths import EXCLUDED
from pipeline.store import index
from pipeline.tables.aliases import short_alias
from pipeline.tables.data_warnings import data_warnings, usable
from pipeline.tables.duplicates import Duplicate, duplicates, in_places
from pipeline.tables.lecture_report import ReportContents, between_runs, measured_here, over, overlap_section, smoke
from pipeline.tables.markdown import code, escaped, grid, item, number_of, paragraph, some
from pipeline.tables.skipped_files import counted, named, partly
from pipeline.tables.skipped_runs import SkippedRuns, skipped_runs_section
from pipeline.tables.tuple_counts import tuple_counts_section

SHOWN_PAIRS = 6
"""Files under two names, before the rest is counted."""
PICTURES = {
    "training-curves.png": """training curves: the loss over the steps, and how often the nearest training clips tell
        the label""",
    "confusion.png": "confusion matrices, of every `top1` of the first seed",
    "neighbours.png": "the training pictures nearest to some test pictures; green: the same class",
    "retrieval.png": "what pictures and sounds of test files have found; green: the same class",
    "tuples.png": "some tuples of frames over the motion by which they were chosen",
}
"""What can be drawn, by name in `figures/`."""


@dataclass(frozen=True)
class UserReport:
    """measured: what every report has. rows: the indices of all splits. notes: what a run did otherwise than
    params.yaml says, and why. pictures: those of PICTURES that show something."""

    card: Card
    measured: ReportContents
    skipped_runs: SkippedRuns
    rows: pd.DataFrame
    notes: Sequence[str]
    pictures: Collection[str]

    @cached_property
    def duplicates(self) -> list[Duplicate]:
        return duplicates(self.rows, self.card.main)


def render_user_report(report: UserReport) -> str:
    """The whole of table.md. The same arguments give the same bytes."""
    parts = [
        f"# {report.card.title}",
        *_introduction(report),
        "## Measured here",
        *(_measured(report) if report.measured.measured else [paragraph("Nothing: see below.")]),
        *(["\n".join(item(note) for note in report.notes)] if report.notes else []),
        *between_runs(report.measured),
        *_pictures(report),
        *skipped_runs_section(report.skipped_runs),
        "## The data",
        *_data(report),
        "## Left out",
        *_skipped_files(report),
        *tuple_counts_section(report.measured.tuple_counts),
        *overlap_section(report.measured),
        "## Where a number comes from",
        *_audit(report),
    ]
    return "\n\n".join(parts) + "\n"


def _introduction(report: UserReport) -> list[str]:
    measured = report.measured
    seeds = ", ".join(map(str, measured.seeds))
    return [
        paragraph(
            f"""{report.card.description}. Dataset `{report.card.name}` ({report.card.modality}), scale
            `{measured.scale}`, {"seed" if len(measured.seeds) == 1 else "seeds"} {seeds}. *Measured* means: pretrained
            on its training split by this pipeline, last checkpoint, every choice made on the validation split, scored
            once on the test split; in parentheses the 95 % interval, over {over(measured.seeds, "files")}.
            {measured.precision} With few test files the intervals are wide: read them before the numbers."""
        ),
        *smoke(measured.scale),
    ]


def _measured(report: UserReport) -> list[str]:
    held = data_warnings(report.card, report.rows, report.measured.measured, report.duplicates)
    return [*(["\n".join(item(one) for one in held)] if held else []), *measured_here(report.measured)]


def _pictures(report: UserReport) -> list[str]:
    shown = [item(f"[{name}](figures/{name}): {what}") for name, what in PICTURES.items() if name in report.pictures]
    return ["## Pictures", "\n".join(shown)] if shown else []


def _data(report: UserReport) -> list[str]:
    label = report.card.main
    lines = []
    for split in report.card.splits:
        mine = report.rows[report.rows["split"] == split]
        used = usable(report.rows, split)
        classes = str(used[f"label_{label}"].nunique()) if label else ""
        lines.append([split, str(mine["parent"].nunique()), str(used["parent"].nunique()), str(len(used)), classes])
    name, scale = report.card.name, report.measured.scale
    shown = "training split" if len(usable(report.rows, "train")) else "other splits"
    sheet = f"![Windows of the {shown}, as they were decoded](figures/{name}.png)"
    return [
        grid(["Split", "Files", "Used", "Windows", "Classes"], lines, right=frozenset({1, 2, 3, 4})),
        *_duplicates(report),
        *([sheet] if len(index.usable(report.rows)) else []),
        paragraph(
            f"""`python -m pipeline show {name} --scale {scale}` prints lengths, sizes and rates of the files that were
            decoded, and draws this sheet and histograms of them."""
        ),
    ]


def _duplicates(report: UserReport) -> list[str]:
    pairs = report.duplicates
    if not pairs:
        return []
    which = "1 file is" if len(pairs) == 1 else f"{len(pairs)} files are"
    names = some([f"{code(one.second)} is {code(one.first)}" for one in pairs], SHOWN_PAIRS)
    places = escaped(in_places(one.places for one in pairs))
    return [paragraph(f"{which} used twice, by a link or as a copy: {places} ({names}).")]


def _skipped_files(report: UserReport) -> list[str]:
    files = report.measured.skipped_files
    if not files:
        return [paragraph(f"Nothing: `{EXCLUDED}` names none of its files, and every one could be used.")]
    whole = number_of(report.rows["parent"].nunique(), "file")
    wholly, in_part = counted(files) - partly(files), partly(files)
    parts = f", {in_part} in part" if in_part else ""
    intro = f"""{wholly} of {whole} {"is" if wholly == 1 else "are"} used for nothing{parts}. Those marked *excluded*
        stand in `{EXCLUDED}`."""
    return [paragraph(intro), *named(files)]


def _audit(report: UserReport) -> list[str]:
    name, scale = report.card.name, report.measured.scale
    commands = {}
    if report.measured.measured:
        alias = short_alias(report.measured.measured[0].id, report.measured.ids)
        commands[f"{alias} --dataset {name} --scale {scale}"] = "a number, back to the files behind it"
    clips = report.rows["parent"].tolist()
    if clips:
        commands[f"--file {shlex.quote(clips[0])} --scale {scale}"] = "a file, on to the numbers that it touched"
    return ["\n".join(f"    python -m pipeline audit {what}   # {why}" for what, why in commands.items())]
