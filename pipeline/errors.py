"""The one exception that a person is meant to read."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """One clear line: the file, key or clip; what was expected; what was found; what to do. Ends with exit code 1."""


SHOWN = 12
"""Of what was expected, before the rest is counted."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Of `names`, the one that was probably meant; None where none is near."""
    return next(iter(difflib.get_close_matches(name, sorted(names), n=1)), None)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest of `names`, or `; expected one of ...` when none is near."""
    known = sorted(names)
    near = nearest(name, known)
    some = ", ".join(known[:SHOWN]) + (f" or {len(known) - SHOWN} others" if len(known) > SHOWN else "")
    return f"; did you mean {near!r}?" if near else f"; expected one of {some}"
