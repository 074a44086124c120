"""Writing that is whole or not at all, and hashing as DVC hashes."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SNAKEMAKE_TIMESTAMP = ".snakemake_timestamp"  # laid into output folders by Snakemake; .dvcignore leaves it out too


DRAWN = "show-"
"""How the names of pictures begin that `show` draws beside a report: no stage made them, no receipt knows them."""


def partial(path: Path) -> Path:
    """The temporary name of a file or folder that is being written: beside it, so that renaming is atomic."""
    return path.with_name(f".{path.name}.partial")


def discard(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def put(temporary: Path, path: Path) -> None:
    """Make a finished temporary file or folder durable and give it its name."""
    if temporary.is_dir():
        discard(path)
    else:
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
    temporary.replace(path)
    # The new name is only durable once the folder that holds it is.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Yield a temporary name; when the block ends without an error the file gets its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = partial(path)
    try:
        yield temporary
        put(temporary, path)
    finally:
        discard(temporary)


def write_text(path: Path, text: str) -> None:
    with written(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def digest(value: Any) -> str:
    """Short enough for a command line, and different for different plain values."""
    return hashlib.md5(json.dumps(value, sort_keys=True).encode()).hexdigest()


def md5_of(path: Path) -> str:
    """Hash of a file's bytes, in hexadecimal: the one that dvc.lock holds."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def folder_files(folder: Path) -> list[Path]:
    """Every file below a folder that counts as its content, in the order in which DVC lists them."""
    files = [path for path in folder.rglob("*") if path.is_file() and _is_content(path)]
    return sorted(files, key=lambda path: path.relative_to(folder).as_posix())


BESIDE_A_RUN = ("checkpoint.safetensors", "tensorboard")
"""What lies in a run's folder and is no output, as .dvcignore has it."""


def _is_content(path: Path) -> bool:
    of_a_run = path.parts[0] == "runs" and bool({*path.parts} & {*BESIDE_A_RUN})
    return path.name != SNAKEMAKE_TIMESTAMP and not path.name.startswith(DRAWN) and not of_a_run


def md5_of_folder(hashes: dict[str, str]) -> str:
    """hashes: md5 by path relative to the folder. The hash that DVC gives a folder: md5 of its JSON listing."""
    listing = [{"md5": hashes[relative], "relpath": relative} for relative in sorted(hashes)]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + ".dir"


def md5(path: Path) -> str:
    """Hash of a file or of a folder, as DVC has it."""
    if path.is_dir():
        return md5_of_folder({file.relative_to(path).as_posix(): md5_of(file) for file in folder_files(path)})
    return md5_of(path)
