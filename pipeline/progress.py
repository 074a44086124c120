"""Progress bars on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
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
