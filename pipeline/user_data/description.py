"""What was found in a folder, for the person who added it."""

import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline import paths
from pipeline.filenames import to_text
from pipeline.tables.markdown import number_of
from pipeline.user_data.advice import warnings
from pipeline.user_data.folder_scan import FolderScan

SHOWN = 12
"""Classes, or files that are named, before the rest is counted."""


def describe(name: str, found: FolderScan) -> None:
    """Prints to standard output."""
    # In a pipe no line may be cut.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    usable = found.usable()
    counted = (
        f"{number_of(len(found.files), f'{found.medium} file')}, "
        f"{len(usable)} usable, {len(found.files) - len(usable)} not"
    )
    console.print(f"[bold]{escape(to_text(found.root))}[/bold]: {counted}")
    console.print(_classes(found))
    facts = [one for _, one in usable]
    for what, values, text in (
        ("container length", [one.seconds for one in facts if one.seconds], _seconds),
        ("shorter side", [min(one.width, one.height) for one in facts if one.width], "{:.0f} px".format),
        ("frames a second", [round(one.rate, 2) for one in facts if one.rate], "{:.4g}".format),
        ("sample rate", [one.sample_rate for one in facts if one.sample_rate], "{:.0f} Hz".format),
        ("channels", [one.channels for one in facts if one.channels], "{:.0f}".format),
        ("size of a file", [file.size for file, _ in usable], _bytes),
    ):
        if values:
            console.print(f"  {what:16} {_spread(values, text)}")
    if found.medium == "video":
        console.print(f"  {'with sound':16} {found.with_sound} of {len(usable)}")
    _problems(console, found)
    for warning in warnings(found):
        console.print(f"[yellow]note[/yellow]  {escape(warning)}")
    console.print(f"wrote [bold]{paths.card(name)}[/bold], modality {found.modality}: to be read and edited")
    console.print(f"next  snakemake --cores all {paths.report('default', name) / 'table.md'}")


def _classes(found: FolderScan) -> Table:
    splits = list(found.counts())
    table = Table("class", *splits, box=None, header_style="bold", pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    usable = Counter((file.label, file.split) for file, _ in found.usable())
    broken = Counter((file.label, file.split) for file, _ in found.problems())

    def counted(labels: Collection[str | None]) -> list[str]:
        return [
            _beside(sum(usable[label, split] for label in labels), sum(broken[label, split] for label in labels))
            for split in splits
        ]

    for label in found.classes[:SHOWN]:
        table.add_row(escape(label), *counted([label]))
    if len(found.classes) > SHOWN:
        table.add_row(f"{len(found.classes) - SHOWN} more", *counted(found.classes[SHOWN:]))
    everything = {label for label, _ in (*usable, *broken)}
    none = everything - set(found.classes)
    if found.classes and none:
        table.add_row("in none of them", *counted(none))
    table.add_row("[bold]all[/bold]", *counted(everything))
    return table


def _beside(usable: int, broken: int) -> str:
    return f"{usable} (+{broken} not usable)" if broken else str(usable)


def _spread(values: Sequence[float], text: Callable[[float], str]) -> str:
    """One value, a few with how often, or the range with the median."""
    counts = Counter(values)
    if len(counts) == 1:
        return text(values[0])
    if len(counts) <= 3:
        return ", ".join(f"{text(value)} ({count})" for value, count in counts.most_common())
    return f"{text(min(values))} to {text(max(values))}, half of them below {text(float(np.median(values)))}"


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value < 100 else f"{value / 60:.1f} min"


def _bytes(value: float) -> str:
    return f"{value / 1e3:.3g} kB" if value < 1e6 else f"{value / 1e6:.4g} MB"


def _problems(console: Console, found: FolderScan) -> None:
    problems = found.problems()
    if problems:
        console.print(f"[yellow]{len(problems)} cannot be used[/yellow]; the report will name their reasons:")
    for file, reason in problems[:SHOWN]:
        console.print(f"  {escape(found.shown(file.relative))}: {escape(reason)}")
    if len(problems) > SHOWN:
        reasons = Counter(reason for _, reason in problems[SHOWN:]).most_common(SHOWN)
        console.print(f"  and {len(problems) - SHOWN} more: {escape('; '.join(f'{n} {r}' for r, n in reasons))}")
