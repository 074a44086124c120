"""File names as text and back: any bytes that a file system allows, in Parquet, YAML, ids and on a terminal.

A name may hold line breaks, control characters or bytes that are no UTF-8. Those, and `%`, stand as `%XX`, a byte each;
everything that can be printed stands as it is. This is the only place that knows it.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(character))


def to_text(path: str | os.PathLike[str]) -> str:
    """A path as printable text; different paths give different texts."""
    return "".join(one if one.isprintable() and one != "%" else _escaped(one) for one in os.fspath(path))


def from_text(text: str) -> Path:
    """The path that `to_text` wrote. A `%` without two hexadecimal digits behind it stands for itself."""
    return Path(os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text.encode())))


def to_id(path: str | os.PathLike[str]) -> str:
    """The same without spaces, which end an id in `data/excluded.txt`, and `@`, which begins a window's number."""
    return "".join(_escaped(one) if one.isspace() or one == "@" else one for one in to_text(path))


@contextmanager
def openable(path: Path) -> Iterator[Path]:
    """A name of the file that any library can open: its own, or, where that is no UTF-8, that of a passing link.

    Absolute, so that no library takes a name with a colon for a protocol."""
    absolute = path.absolute()
    try:
        str(absolute).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder) / f"file{path.suffix if path.suffix.isascii() else ''}"
            link.symlink_to(absolute)
            yield link
    else:
        yield absolute
