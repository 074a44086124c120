"""Why a file is used for nothing."""

import re

LOGGED = re.compile(r"^\[[\d:]+\] \S+: ")  # decord's own time and place
ADDRESS = re.compile(r"0x[0-9a-f]+")


class Unusable(Exception):
    """One plain reason, to follow the file's name: `is empty`, `has no sound` ..."""


def first_line(error: BaseException) -> str:
    """What a library says about a damaged file, without what changes from run to run (times, addresses) and without
    the file's name, since the reason stands beside it, in a table whose hash others depend on."""
    said = getattr(error, "strerror", None) or str(error)
    lines = LOGGED.sub("", str(said).strip()).splitlines()
    told = ADDRESS.sub("0x...", lines[0])[:160].strip() if lines else ""
    return f"{type(error).__name__}: {told}" if told else type(error).__name__
