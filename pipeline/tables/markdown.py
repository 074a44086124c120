"""Markdown that reads well raw: aligned tables, wrapped paragraphs, fractions as percentages."""

import re
import textwrap
from collections.abc import Iterable, Sequence

from selfsup.statistics.metrics import is_error

WIDTH = 118


def grid(header: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """A Markdown table whose columns line up in the raw text too. right: columns that are set flush right."""
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (header, *rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    rule = ("-" * (width - 1) + ":" if column in right else "-" * width for column, width in enumerate(widths))
    return "\n".join([line(lines[0]), f"| {' | '.join(rule)} |", *map(line, lines[1:])])


def code(text: str) -> str:
    """A span of code, its fence longer than any run of backticks in the text."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    # Spaces keep a backtick at an end from being part of the fence, and are not shown.
    return f"{fence} {text} {fence}" if text.startswith("`") or text.endswith("`") else f"{fence}{text}{fence}"


def escaped(text: str) -> str:
    """Text that somebody or something else wrote, shown as it is."""
    return re.sub(r"([\\`*_&<\[])", r"\\\1", text)


def number_of(count: int, name: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def some(names: Sequence[str], most: int) -> str:
    """`a, b and 3 more`: at most `most` of them by name."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def interval(value: float, low: float, high: float) -> str:
    """Fractions in; `65.2 % (62.1 to 68.3)` out."""
    return f"{percent(value)} % ({percent(low)} to {percent(high)})"


def shown(value: float, metric: str) -> str:
    """`65.2 %` of a share, `0.0652` of an error, which is in a unit of its own."""
    return f"{value:.3g}" if is_error(metric) else f"{percent(value)} %"


def shown_interval(value: float, low: float, high: float, metric: str) -> str:
    """`65.2 % (62.1 to 68.3)` of shares, `0.0652 (0.0621 to 0.0683)` of errors."""
    return f"{value:.3g} ({low:.3g} to {high:.3g})" if is_error(metric) else interval(value, low, high)


def shown_difference(value: float, low: float, high: float, metric: str) -> str:
    """`+3.0 (+1.2 to +4.8)`: in percentage points, of errors in their own unit; signed."""
    if is_error(metric):
        return f"{value:+.2g} ({low:+.2g} to {high:+.2g})"
    return f"{points(value)} ({points(low)} to {points(high)})"


def points(fraction: float) -> str:
    """A difference of fractions in percentage points, signed; one that rounds to nothing has no sign."""
    text = f"{100 * fraction:+.1f}"
    return text if text.strip("+-") != "0.0" else "0.0"


def paragraph(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def item(text: str) -> str:
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
