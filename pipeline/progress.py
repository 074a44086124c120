"""Progress bars on a terminal; in a log a line now and then, or rows."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

QUIET = 5.0
"""Seconds, before which nothing is said: what is over by then need not be followed."""


def progress(items: Iterable[Item], title: str, total: int) -> Iterator[Item]:
    """Hand the items on, counting them on standard error: a bar on a terminal, elsewhere a line every tenth of them."""
    if not sys.stderr.isatty():
        yield from _in_lines(items, title, total)
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, title, total, console=Console(stderr=True))


def _in_lines(items: Iterable[Item], title: str, total: int) -> Iterator[Item]:
    begun, told = time.monotonic(), 0
    for count, item in enumerate(items, 1):
        yield item
        tenths = 10 * count // max(total, count)
        if tenths > told and time.monotonic() - begun >= QUIET:
            print(f"{title}: {10 * tenths} %, {count} of {max(total, count)}", file=sys.stderr, flush=True)
            told = tenths


@dataclass(frozen=True)
class Shown:
    """What a loop calls. step: with the steps done; None where nobody sees it. row: with numbers by name."""

    step: Callable[[int], None] | None
    row: Callable[[Mapping[str, float]], None]


@contextmanager
def training(title: str, total: int, done: int) -> Iterator[Shown]:
    """A bar with the last row's losses, steps a second and the time that is left; without a terminal the rows."""
    if not sys.stderr.isatty():
        yield Shown(None, _print)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as Left
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.3g} steps/s" if task.speed else "")

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), Left()]
    with Progress(*columns, TextColumn("{task.fields[row]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, completed=done, row="")
        yield Shown(
            lambda steps: bar.update(task, completed=steps),
            lambda row: bar.update(task, row=_text({name: row[name] for name in row if name not in COUNTED})),
        )


COUNTED = ("step", "images", "learning_rate")
"""Of a row, what the bar shows anyway, or nobody reads while it moves."""


def _print(row: Mapping[str, float]) -> None:
    print(_text(row), file=sys.stderr, flush=True)


def _text(row: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.6g}" for name, value in row.items())
