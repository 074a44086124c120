"""Why a file is used for nothing: said in the same words by whoever looks into it and by whoever decodes it."""

import re
import signal

LOGGED = re.compile(r"^\[[\d:]+\] \S+: ")  # decord's own time and place
ADDRESS = re.compile(r"0x[0-9a-f]+")


class Unusable(Exception):
    """One plain reason, to follow the file's name: `is empty`, `has no sound` ..."""


def reason(error: Exception, memory_mb: int) -> str:
    """Of what was raised while a file was read. memory_mb: that its decoder was allowed."""
    if isinstance(error, Unusable):
        return str(error)
    if isinstance(error, MemoryError):
        return f"needs more than the {memory_mb} MB of store.file_memory_mb"
    # FFmpeg's and Pillow's errors are OSErrors too; the system's own come from no decoder.
    if type(error) in (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError):
        return f"cannot be read: {error.strerror}"  # type: ignore[attr-defined]
    return f"cannot be decoded: {first_line(error)}"


def silent(seconds: float) -> str:
    """Of a file at which its decoder hung."""
    return f"its decoder was silent for {seconds:.0f} s (store.file_seconds)"


def crashed(code: int | None) -> str:
    """Of a file at which its decoder's process ended. code: what it returned, None if it is not known."""
    if code is None:
        how = "and did not end"
    elif code >= 0:
        how = f"exit code {code}"
    else:
        how = signal.Signals(-code).name
    return f"its decoder crashed ({how})"


def first_line(error: BaseException) -> str:
    """What a library says about a damaged file, without what changes from run to run (times, addresses) and without
    the file's name, since the reason stands beside it, in a table whose hash others depend on."""
    said = getattr(error, "strerror", None) or str(error)
    lines = LOGGED.sub("", str(said).strip()).splitlines()
    told = ADDRESS.sub("0x...", lines[0])[:160].strip() if lines else ""
    return f"{type(error).__name__}: {told}" if told else type(error).__name__
