"""table.md: the lecture's tables with our numbers beside the published ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline import paths
from pipeline.errors import UserError
from pipeline.tables.aliases import resolve, short_alias
from pipeline.tables.lecture import Lecture, Row, Table
from pipeline.tables.markdown import grid, interval, item, paragraph, percent, points
from pipeline.tables.numbers import Between, Measured
from pipeline.tables.order_blind import best_order_blind
from pipeline.tables.skipped_files import SkippedFile, counted, named
from pipeline.tables.tuple_counts import TupleCounts, tuple_counts_section

PART_OF = dict(zip("ABC", paths.PARTS, strict=True))
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class ReportContents:
    """What a report is of. ids: every number that can be named."""

    scale: str
    dataset: str
    seeds: tuple[int, ...]
    measured: Sequence[Measured]
    between: Sequence[Between]
    ids: Sequence[str]
    skipped_files: Sequence[SkippedFile]
    tuple_counts: Sequence[TupleCounts] = ()


def render_lecture_report(lecture: Lecture, report: ReportContents, part: str = "") -> str:
    """The whole of table.md, or the tables of one part of the lecture. The same arguments give the same bytes."""
    cells = _measured_cells(lecture, report)
    parts = [
        f"# The lecture's tables, measured{f': {part}' if part else ''}",
        *_introduction(report),
        "## Measured here",
        *measured_here(report),
        *between_runs(report),
    ]
    for number, table in enumerate(lecture.tables, 1):
        if part and part != PART_OF[table.part]:
            continue
        parts += _lecture_table(number, table, lecture, cells)
    parts += ["## About the lecture", "\n".join(item(note) for note in lecture.notes)]
    parts += ["## Left out", *skipped_files_section(report)]
    parts += ["## Where a number comes from", *_audit(report, cells)]
    return "\n\n".join(parts) + "\n"


def _introduction(report: ReportContents) -> list[str]:
    seeds = ", ".join(str(seed) for seed in report.seeds)
    rendered = " (`toyworld` is rendered: a demonstration, not a benchmark)" if report.dataset == "toyworld" else ""
    return [
        paragraph(
            f"""Every table of the lecture on self-supervised learning from images, videos and videos with sound, with
            what was measured here beside what was published. Dataset `{report.dataset}`, scale `{report.scale}`,
            {"seed" if len(report.seeds) == 1 else "seeds"} {seeds}. *Measured* means: pretrained by this pipeline,
            last checkpoint, every choice made on the validation split, scored once on the test split; in parentheses
            the 95 % interval, by bootstrap over clips (and seeds, where there are several). Dataset, network and
            schedule are not those of the papers{rendered}: compare measured numbers with each other, and orderings
            with the published column, never absolute values. An empty cell is not built yet."""
        ),
        *smoke(report.scale),
        paragraph(
            """Behind a published value stands how far it can be trusted: *read* in the paper or its authors'
            repository, *second-hand* from a transcription or another paper, *lecture* on the slide only, *recalled*
            from memory."""
        ),
    ]


def smoke(scale: str) -> list[str]:
    """That numbers of the smallest scale mean nothing; of any other, nothing."""
    if scale != "smoke":
        return []
    return [
        paragraph(
            """**At scale `smoke` the numbers mean nothing**: it trains for a few steps on a few small clips, to show
            that everything runs."""
        )
    ]


def measured_here(report: ReportContents) -> list[str]:
    if not report.measured:
        return ["Nothing yet."]
    blind = best_order_blind(report.measured)
    rows = []
    for number in report.measured:
        gap = number.difference
        rows.append(
            [
                f"`{short_alias(number.id, report.ids)}`",
                ", ".join(dict.fromkeys(number.layers)),
                interval(number.value, number.low, number.high),
                _held_against(number, blind),
                "" if gap is None else f"{points(gap.value)} ({points(gap.low)} to {points(gap.high)})",
                str(number.clips),
                str(number.count),
                ", ".join(str(seed) for seed in number.seeds),
            ]
        )
    header = ["Number", "Layer", "Value", "Chance", "To reference", "Clips", "Examples", "Seeds"]
    return [
        grid(header, rows, right=frozenset({3, 5, 6})),
        paragraph(
            """Layer: the one chosen on validation, by each seed for itself. To reference: difference in percentage
            points to the run that stands first in its suite (the untrained one of the same network, where there is
            one), paired by example, with its 95 % interval. Clips, examples: of
            the test split, scored."""
        ),
        *_notes(report, blind),
    ]


def _held_against(number: Measured, blind: Mapping[str, float]) -> str:
    """Chance and, where there is one, a ceiling or what was reached without seeing order."""
    if number.ceiling is not None:
        return f"{percent(number.chance)} %, ceiling {percent(number.ceiling)} %"
    if number.id in blind:
        return f"{percent(number.chance)} %, order-blind {percent(blind[number.id])} %"
    return f"{percent(number.chance)} %"


def _notes(report: ReportContents, blind: Mapping[str, float]) -> list[str]:
    notes = []
    if blind:
        notes.append(
            """Order-blind: the most that any run, those told the labels included, reached under the same protocol by
            the frames' average (`_blind`). It is what was reached here without seeing order, no bound on what can be:
            a number that is above it by more than its interval shows order to be used, or better features than any
            that were averaged."""
        )
    if len(report.seeds) > 1:
        notes.append("An interval over a few seeds is rather too short.")
    return [paragraph(" ".join(notes))] if notes else []


def between_runs(report: ReportContents) -> list[str]:
    """Differences between the runs, references aside."""
    if not report.between:
        return []
    rows = [
        [
            f"`{short_alias(one.greater, report.ids)}`",
            f"`{short_alias(one.lesser, report.ids)}`",
            f"{points(one.difference.value)} ({points(one.difference.low)} to {points(one.difference.high)})",
        ]
        for one in report.between
    ]
    note = paragraph(
        """In percentage points, paired by example, with 95 % intervals. Runs that stand beside different untrained ones
        above differ in network or in what it is shown: their difference is of method and that together."""
    )
    return ["## Between runs", note, grid(["Number", "Minus", "Difference"], rows)]


def _measured_cells(lecture: Lecture, report: ReportContents) -> dict[tuple[str, str], Measured]:
    """By place and column. What this report's suites do not evaluate leaves its cell empty; an ambiguous alias is an
    error."""
    numbers = {number.id: number for number in report.measured}
    evaluated = {(number.run, number.protocol) for number in report.measured}
    cells = {}
    for place, table, row in lecture.rows():
        protocols = {column.name: column.protocol for column in table.columns}
        for column, alias in row.measured.items():
            if (alias.split(".")[0], protocols[column]) not in evaluated:
                continue
            id = resolve(alias, report.ids, lecture)
            if id not in numbers:
                raise UserError(
                    f"{paths.TABLES}: row {place} ({row.label}): {alias!r} is one seed's number; tables print those "
                    "over seeds"
                )
            cells[place, column] = numbers[id]
    return cells


def _lecture_table(number: int, table: Table, lecture: Lecture, cells: dict[tuple[str, str], Measured]) -> list[str]:
    marks = _marks(table)
    header = ["#", ""]
    for column in table.columns:
        header += [column.name, "measured"]
    rows = []
    for position, row in enumerate(table.rows, 1):
        line = [f"{number}.{position}", row.label + _marks_of(row, marks)]
        for column in table.columns:
            measured = cells.get((f"{number}.{position}", column.name))
            line += [
                _published(row, column.name, lecture),
                "" if measured is None else interval(measured.value, measured.low, measured.high),
            ]
        rows.append(line)
    notes = [item(f"{mark} {table.footnotes[name]}") for name, mark in marks.items()]
    notes += [item(text) for name, text in table.footnotes.items() if name not in marks]
    return [
        f"## {number}. {table.slide}",
        paragraph(f"Part {table.part}. {table.caption} {table.citation}."),
        grid(header, rows),
        *(["\n".join(notes)] if notes else []),
    ]


def _marks(table: Table) -> dict[str, str]:
    """Raised numbers for the footnotes that rows refer to, in the order in which they are first met."""
    named = dict.fromkeys(name for row in table.rows for name in row.footnotes)
    return {name: str(position).translate(SUPERSCRIPT) for position, name in enumerate(named, 1)}


def _marks_of(row: Row, marks: dict[str, str]) -> str:
    return " " + " ".join(marks[name] for name in row.footnotes) if row.footnotes else ""


def _published(row: Row, column: str, lecture: Lecture) -> str:
    if column not in row.published:
        return ""
    one = lecture.published[row.published[column]]
    return f"{one.value} {one.unit}".strip() + f", {one.confidence}"


def skipped_files_section(report: ReportContents) -> list[str]:
    if not report.skipped_files:
        nothing = paragraph(f"Nothing: `{paths.EXCLUDED}` names no clip, and every file could be used.")
        return [nothing, *tuple_counts_section(report.tuple_counts), *overlap_section(report)]
    count = counted(report.skipped_files)
    which = "1 clip or file is" if count == 1 else f"{count} clips or files are"
    intro = f"""{which} used by no number, or only in part. Those marked *excluded* stand in `{paths.EXCLUDED}`."""
    return [
        paragraph(intro),
        *named(report.skipped_files),
        *tuple_counts_section(report.tuple_counts),
        *overlap_section(report),
    ]


def overlap_section(report: ReportContents) -> list[str]:
    """What pretraining and evaluation have in common: a row a run, or more where its protocols differ in it."""
    if not report.measured:
        return []
    protocols: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in report.measured:
        counts = tuple(str(one.overlap.get(split, 0)) for split in paths.SPLITS)
        protocols.setdefault((one.run, counts), []).append(one.protocol)
    rows = [
        [f"`{run}`", ", ".join(f"`{name}`" for name in dict.fromkeys(names)), *counts]
        for (run, counts), names in protocols.items()
    ]
    return [
        "### Overlap",
        paragraph(
            """Clips that a run was pretrained on and that its evaluations have in each of their splits. In the training
            split they are as in the papers, which probe on the images that they pretrained on; one in the test split
            would be a leak."""
        ),
        grid(["Run", "Protocols", *map(str.capitalize, paths.SPLITS)], rows, right=frozenset({2, 3, 4})),
    ]


def _audit(report: ReportContents, cells: dict[tuple[str, str], Measured]) -> list[str]:
    if not cells:
        return [paragraph("`python -m pipeline audit` follows a measured cell to its bytes; there is none yet.")]
    (place, _), number = next(iter(cells.items()))
    alias = short_alias(number.id, report.ids)
    commands = {
        place: f"the cell at {place}, back to the source files",
        alias: "the same number, by its alias",
        f"{place} --verify": "every file of the chain hashed again",
    }
    width = max(map(len, commands))
    lines = [f"python -m pipeline audit {what.ljust(width)}   # {why}" for what, why in commands.items()]
    return [
        paragraph("Every measured cell can be followed to the bytes behind it, by its place or by its alias:"),
        "\n".join(f"    {line}" for line in lines),
    ]
