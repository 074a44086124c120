"""table.md: the lecture's tables with our numbers beside the published ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline import paths
from pipeline.errors import UserError
from pipeline.tables.aliases import resolve, short_alias
from pipeline.tables.lecture import Lecture, Row, Table
from pipeline.tables.markdown import (
    grid,
    item,
    number_of,
    paragraph,
    percent,
    shown,
    shown_difference,
    shown_interval,
)
from pipeline.tables.numbers import Between, Measured
from pipeline.tables.order_blind import best_order_blind
from pipeline.tables.skipped_files import SkippedFile, counted, named
from pipeline.tables.tuple_counts import TupleCounts, tuple_counts_section
from selfsup.statistics.holm import rejected
from selfsup.statistics.intervals import LEVEL, Interval

PART_OF = dict(zip("ABC", paths.PARTS, strict=True))
OF_BOXES, AT_EDGE, APART, OTHER_BUDGET = "ᵇ", "ᵉ", "*", "†"
"""Marks: told where the object is; a choice at the end of what was tried; not 0, corrected; another budget."""
FIRST_METRICS = ("top1", "top5", "accuracy", "error")
"""Of the protocols: those that are printed where there is no room for all."""
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class ReportContents:
    """What a report is of. ids: every number that can be named. seen: by run, the examples that it was trained on, each
    as often as it was seen. boxes: (run, protocol) of numbers that are told where the object is. precision: of training
    and of evaluation, in words."""

    scale: str
    dataset: str
    seeds: tuple[int, ...]
    measured: Sequence[Measured]
    between: Sequence[Between]
    ids: Sequence[str]
    skipped_files: Sequence[SkippedFile]
    tuple_counts: Sequence[TupleCounts] = ()
    seen: Mapping[str, int] = field(default_factory=dict)
    boxes: Collection[tuple[str, str]] = ()
    precision: str = ""


def render_lecture_report(lecture: Lecture, report: ReportContents, part: str = "") -> str:
    """The whole of table.md, or the tables of one part of the lecture. The same arguments give the same bytes."""
    cells = _measured_cells(lecture, report)
    parts = [
        f"# The lecture's tables, measured{f': {part}' if part else ''}",
        *_introduction(report),
    ]
    for number, table in enumerate(lecture.tables, 1):
        if part and part != PART_OF[table.part]:
            continue
        parts += _lecture_table(number, table, lecture, cells, report)
    parts += beyond_the_tables(report, cells)
    parts += ["## About the lecture", "\n".join(item(note) for note in lecture.notes)]
    parts += ["## Measured here", *measured_here(report), *between_runs(report), *hard_clips(report)]
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
            the 95 % interval, over {over(report.seeds)}. {report.precision} Dataset, network and schedule are not
            those of the papers{rendered}: compare measured numbers with each other, and orderings with the published
            column, never absolute values. An empty cell is not built yet."""
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


def over(seeds: Sequence[int], clips: str = "clips") -> str:
    """What an interval is over."""
    if len(seeds) > 1:
        return f"{clips} and seeds"
    return f"{clips} alone: another seed may give a number outside of it"


def beyond_the_tables(report: ReportContents, cells: Mapping[tuple[str, str], Measured]) -> list[str]:
    """Systems that the lecture names without printing a result: their number under each protocol's first metric."""
    printed = {number.run for number in cells.values()}
    rows = []
    for number in report.measured:
        gap = number.difference
        if number.run in printed or gap is None or number.metric not in FIRST_METRICS:
            continue
        value = shown_interval(number.value, number.low, number.high, number.metric)
        difference = shown_difference(gap.value, gap.low, gap.high, number.metric)
        rows.append([f"`{number.run}`", f"`{number.protocol}.{number.metric}`", value, difference])
    if not rows:
        return []
    note = paragraph(
        """Runs that stand in no table above. To reference: the difference to the run that it is compared with, the
        untrained one of the same network where there is one."""
    )
    return ["## Beyond the lecture's tables", note, grid(["Run", "Number", "Value", "To reference"], rows)]


def measured_here(report: ReportContents) -> list[str]:
    """Every number in a row, what it is read against beside it, and what the columns and marks mean."""
    if not report.measured:
        return ["Nothing yet."]
    blind = best_order_blind(report.measured)
    stands = _stands([number.difference for number in report.measured])
    several = len(report.seeds) > 1
    rows = []
    for number, apart in zip(report.measured, stands, strict=True):
        gap, metric = number.difference, number.metric
        rows.append(
            [
                f"`{short_alias(number.id, report.ids)}`{OF_BOXES if _told_boxes(report, number) else ''}",
                ", ".join(dict.fromkeys(number.layers)) + (AT_EDGE if number.at_edge else ""),
                shown_interval(number.value, number.low, number.high, metric),
                *([", ".join(shown(one, metric).removesuffix(" %") for one in number.per_seed)] if several else []),
                _held_against(number, blind),
                ""
                if gap is None
                else shown_difference(gap.value, gap.low, gap.high, metric) + (APART if apart else ""),
                _seen(report, number.run),
                str(number.clips),
                str(number.count),
            ]
        )
    header = ["Number", "Layer", "Value", *(["Each seed"] if several else []), "Chance", "To reference", "Seen"]
    right = frozenset(range(len(header) - 3, len(header) + 2)) - {len(header) - 2}
    return [grid([*header, "Clips", "Examples"], rows, right=right), paragraph(_legend(report)), *_notes(report, blind)]


def _legend(report: ReportContents) -> str:
    """What the columns mean."""
    differences = sum(number.difference is not None for number in report.measured)
    text = """Layer: the one chosen on validation, by each seed for itself (`chosen`: draws of labels chose different
        ones). To reference: difference in percentage points (of errors in their own unit) to the run that this one is
        compared with, the untrained one of the same network where there is one; paired by example, with its 95 %
        interval. Seen: entries that the run was trained on (images, clips, tuples or pairs), each as often as it was
        seen; those of a run that it begins with count too, those that a protocol fits to do not. Clips, examples: of
        the test split, scored."""
    if differences:
        text += f""" Intervals hold each for itself; {APART} marks differences that are not 0 after Holm's correction
            for the {differences} of this table, at 95 %."""
    if any(number.at_edge for number in report.measured):
        text += f""" {AT_EDGE}: a choice (k, a penalty, a cost or a rate) ended at an end of what was tried: a wider
            range may give more."""
    if any(_told_boxes(report, number) for number in report.measured):
        text += f""" {OF_BOXES}: told by the dataset where the main object is, in training, in the test or in both."""
    if any(number.metric.startswith("error") for number in report.measured):
        text += " Error: less is better; `trivial` is that of a trivial answer."
    return text


def _stands(differences: Sequence[Interval | None]) -> list[bool]:
    """Which are not 0, corrected for there being so many."""
    there = [at for at, one in enumerate(differences) if one is not None]
    found = rejected([one.p_of_zero() for one in differences if one is not None], level=LEVEL)
    return [at in there and found[there.index(at)] for at in range(len(differences))]


def _told_boxes(report: ReportContents, number: Measured) -> bool:
    return (number.run, number.protocol) in report.boxes


def _seen(report: ReportContents, run: str) -> str:
    return f"{report.seen[run]:,}" if run in report.seen else ""


def _held_against(number: Measured, blind: Mapping[str, float]) -> str:
    """Chance and, where there is one, a ceiling or what was reached without seeing order; of an error a trivial one."""
    found = []
    if number.chance is not None:
        found.append(f"{percent(number.chance)} %")
    if number.trivial is not None:
        found.append(f"trivial {shown(number.trivial, number.metric)}")
    if number.ceiling is not None:
        found.append(f"ceiling {percent(number.ceiling)} %")
    elif number.id in blind:
        found.append(f"order-blind {percent(blind[number.id])} %")
    return ", ".join(found)


def _notes(report: ReportContents, blind: Mapping[str, float]) -> list[str]:
    notes = []
    if blind:
        notes.append(
            """Order-blind: the most that any run, those told the labels included, reached with as many labels by the
            frames' average (`_blind`), frozen or fine-tuned. It is what was reached here without seeing order, no bound
            on what can be: a number that is above it by more than its interval shows order to be used, or better
            features than any that were averaged."""
        )
    if len(report.seeds) > 1:
        notes.append(
            """An interval over seeds takes each as a draw from all that could be: Student's t for their variance beyond
            what clips explain. With three it is as wide as three can tell."""
        )
    if any(number.metric.endswith("_few") for number in report.measured):
        notes.append("`_few`: a few labels a class, and choices made on as few validation labels, draw by draw.")
    return [paragraph(" ".join(notes))] if notes else []


def between_runs(report: ReportContents) -> list[str]:
    """Differences between the runs, references aside."""
    if not report.between:
        return []
    runs = {number.id: number.run for number in report.measured}
    rows, crossing = [], False
    stands = _stands([one.difference for one in report.between])
    for one, apart in zip(report.between, stands, strict=True):
        budgets = {report.seen.get(runs.get(id, ""), 0) for id in (one.greater, one.lesser)}
        crosses = len(budgets - {0}) > 1
        crossing = crossing or crosses
        gap, metric = one.difference, one.greater.rpartition("/")[2]
        marks = f"{APART if apart else ''}{OTHER_BUDGET if crosses else ''}"
        rows.append(
            [
                f"`{short_alias(one.greater, report.ids)}`",
                f"`{short_alias(one.lesser, report.ids)}`",
                shown_difference(gap.value, gap.low, gap.high, metric) + marks,
            ]
        )
    note = f"""In percentage points, paired by example, with 95 % intervals over {over(report.seeds)}. Intervals hold
        each for itself; {APART} marks what is not 0 after Holm's correction for {number_of(len(rows), "difference")},
        at 95 %. Runs that are compared with different untrained ones above differ in network or in what it is shown:
        their difference is of method and that together."""
    if crossing:
        note += f""" {OTHER_BUDGET}: the two have seen different numbers of examples (column *Seen* above), so that it
            is a difference of budgets too."""
    return ["## Between runs", paragraph(note), grid(["Number", "Minus", "Difference"], rows)]


def hard_clips(report: ReportContents) -> list[str]:
    """The numbers with all labels, of heads that see all there is, on ordinary and on hard test clips."""
    rows = []
    for number in report.measured:
        if number.ordinary is None or number.hard is None or {"few", "blind"} & set(number.metric.split("_")):
            continue
        ends = [shown_interval(one.value, one.low, one.high, number.metric) for one in (number.ordinary, number.hard)]
        rows.append([f"`{short_alias(number.id, report.ids)}`", *ends])
    if not rows:
        return []
    note = paragraph(
        """About a quarter of toyworld's test clips are cluttered and show a silent, still double of the main object; no
        clip of the other splits is or does, so that choices were made without such clips. The numbers above are of all
        test clips; here the same predictions are scored apart. Where an example is of two clips, the one that asks
        counts. Intervals are wider, since there are fewer clips."""
    )
    return ["## Ordinary and hard test clips", note, grid(["Number", "Ordinary", "Hard"], rows)]


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


def _cell(measured: Measured, report: ReportContents) -> str:
    text = shown_interval(measured.value, measured.low, measured.high, measured.metric)
    return f"{text}{OF_BOXES if _told_boxes(report, measured) else ''}{AT_EDGE if measured.at_edge else ''}"


def _lecture_table(
    number: int, table: Table, lecture: Lecture, cells: dict[tuple[str, str], Measured], report: ReportContents
) -> list[str]:
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
                "" if measured is None else _cell(measured, report),
            ]
        rows.append(line)
    notes = [item(f"{mark} {table.footnotes[name]}") for name, mark in marks.items()]
    notes += [item(text) for name, text in table.footnotes.items() if name not in marks]
    printed = "".join(cell for line in rows for cell in line)
    meanings = {OF_BOXES: "Told where the main object is.", AT_EDGE: "A choice ended at an end of what was tried."}
    notes += [item(f"{mark} {text}") for mark, text in meanings.items() if mark in printed]
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
