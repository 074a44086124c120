"""Receipts: what a stage read, wrote, was told and ran on, written beside its outputs when all of them are whole.

    with open_receipt("index", outputs=[...], inputs=[...], ...) as stage:
        write(stage.partial(output))

A stage writes under temporary names. When the block ends without an error they are synced, renamed and hashed, and the
receipt follows; after an error nothing of them is left. The hash of an input is inherited from its producer's receipt
while inode, size and mtime match, else computed.
"""

import json
import os
import platform
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline import paths
from pipeline.errors import UserError
from pipeline.files import digest, discard, folder_files, md5, partial, put, write_json

# Versions that can move a number; recorded, and trigger nothing.
PACKAGES = [
    *("av", "decord", "matplotlib", "numpy", "opencv-python-headless", "pandas", "pillow", "pyarrow"),
    *("safetensors", "scikit-learn", "scipy", "soundfile", "torch", "torchvision"),
]


STAGES = (
    "reel",
    "shortcuts",
    "publish",
    "report",
    "evaluate",
    "pretrain",
    "mine",
    "index",
    "decode",
    "crop",
    "fetch",
)
"""The stages that leave receipts, the last first."""

PLANNED = "SELFSUP_PLANNED"
"""Environment variable by which a rule says which parameters its job was planned with: `files.digest` of them."""


@dataclass
class Stage:
    """A stage that is running. `notes` are facts to be kept in the receipt (device, counts); `clips` what it used."""

    name: str
    outputs: list[Path]
    notes: dict[str, Any] = field(default_factory=dict)
    clips: list[dict[str, Any]] = field(default_factory=list)

    def partial(self, output: Path) -> Path:
        """The temporary name to write an output under."""
        assert output in self.outputs, output
        return partial(output)

    def used_clips(self, role: str, dataset: str, split: str, index_md5: str, count: int) -> None:
        """role: `trained on`, `watched on`, `probe trained on`, `chosen on` or `tested on`."""
        self.clips.append({"role": role, "dataset": dataset, "split": split, "index": index_md5, "count": count})


@contextmanager
def open_receipt(
    name: str,
    *,
    receipt: Path,
    inputs: list[Path],
    outputs: list[Path],
    parameters: dict[str, Any],
    identity: dict[str, Any],
) -> Iterator[Stage]:
    """identity: what distinguishes this job from its stage's others (scale, dataset, run, seed ...).

    Raises UserError when an input is missing or changes meanwhile (what was made is then of neither), or the disk is
    full.
    """
    started = time.time()
    check_planned(parameters)
    if missing := [str(path) for path in inputs if not path.exists()]:
        them = "it" if len(missing) == 1 else "them"
        command = shlex.join(["snakemake", *missing])
        raise UserError(f"{', '.join(missing)}: missing, and {name} needs {them}; `{command}` makes {them}")
    read = [describe(path) for path in inputs]
    receipt.parent.mkdir(parents=True, exist_ok=True)
    for output in outputs:
        output.parent.mkdir(parents=True, exist_ok=True)
        discard(partial(output))
    stage = Stage(name, outputs)
    try:
        yield stage
        for path, before in zip(inputs, read, strict=True):
            if not path.exists() or any(before[key] != value for key, value in _stat(path).items()):
                raise UserError(f"{path}: changed while {name} worked from it; run the same command once more")
        # From here on the old outputs go, and with them the receipt that speaks of them.
        discard(receipt)
        for output in outputs:
            put(partial(output), output)
        write_json(
            receipt,
            {
                "stage": name,
                **identity,
                "inputs": read,
                "outputs": [describe(path, fresh=True) for path in outputs],
                "parameters": parameters,
                "clips": stage.clips,
                "notes": stage.notes,
                "command": ["python", "-m", "pipeline", *sys.argv[1:]],
                "packages": {package: _version(package) for package in PACKAGES},
                "python": platform.python_version(),
                "machine": f"{platform.system()} {platform.machine()}",
                **_commit(),
                "seconds": round(time.time() - started, 2),
                "peak_memory_bytes": _peak_memory(),
            },
        )
    except OSError as error:
        raise UserError(
            f"{error.filename or receipt.parent}: {error.strerror or error}; {name} wrote nothing"
        ) from error
    finally:
        for output in outputs:
            discard(partial(output))


def check_planned(parameters: dict[str, Any]) -> None:
    """Raises UserError if the rule that started this job planned it with other parameters."""
    if os.environ.get(PLANNED, digest(parameters)) != digest(parameters):
        raise UserError(f"{paths.PARAMETERS}: changed after this job was planned; run the same command once more")


def kept_current(
    receipt: Path, inputs: list[Path], outputs: list[Path], parameters: dict[str, Any], identity: dict[str, Any]
) -> bool:
    """Whether what is there already follows from the same inputs and parameters; if so, all of it is touched, so that
    it is younger than its inputs. For a job of several receipts, of which perhaps one has to be made anew."""
    if not all(path.exists() for path in (receipt, *inputs, *outputs)):
        return False
    try:
        made = read_receipt(receipt)
    except UserError:
        return False
    before = {file["path"]: file["md5"] for file in (*made["inputs"], *made["outputs"])}
    now = {path.as_posix(): describe(path)["md5"] for path in inputs}
    now |= {path.as_posix(): md5(path) for path in outputs}
    if before != now or made["parameters"] != parameters or any(made.get(key) != identity[key] for key in identity):
        return False
    for path in (*outputs, receipt):
        path.touch()
    return True


def _peak_memory() -> int:
    """Of this process and the largest of its children, in bytes (Linux counts in KiB, macOS in bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> dict[str, Any]:
    """The commit that is checked out, and whether tracked files differ from it; null outside a repository."""
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run(
            [
                "git",
                "status",
                "--porcelain",
                "--",
                "Snakefile",
                "pipeline",
                "ssl",
                "params.yaml",
                "data/cards",
                "*.lock",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "modified": None}
    return {"commit": head.stdout.strip(), "modified": bool(changed.stdout.strip())}


def _is_whole(value: dict[str, Any]) -> bool:
    files = [*value.get("inputs", [{}]), *value.get("outputs", [{}])]
    whole = all(
        isinstance(file, dict) and {"path", "md5", "size", "mtime_ns", "inode"} <= file.keys() for file in files
    )
    return whole and isinstance(value.get("parameters"), dict) and value.get("stage") in STAGES


def hashes(files: Mapping[str, Path]) -> dict[str, str]:
    """By name."""
    return {name: str(describe(path)["md5"]) for name, path in files.items()}


def describe(path: Path, fresh: bool = False) -> dict[str, Any]:
    """Path, md5, size, and the stat by which a consumer recognises that the file is still the one that was hashed."""
    stat = _stat(path)
    known = None if fresh else _inherited(path, stat)
    return {"path": path.as_posix(), "md5": known or md5(path), **stat}


def _stat(path: Path) -> dict[str, int]:
    """Of a folder: the sizes together, and when its newest file was written."""
    if path.is_dir():
        stats = [file.stat() for file in folder_files(path)]
        size, mtime = sum(stat.st_size for stat in stats), max((stat.st_mtime_ns for stat in stats), default=0)
    else:
        size, mtime = path.stat().st_size, path.stat().st_mtime_ns
    return {"size": size, "mtime_ns": mtime, "inode": path.stat().st_ino}


def _inherited(path: Path, stat: dict[str, int]) -> str | None:
    beside = paths.receipt_beside(path)
    if not beside.exists():
        return None
    for output in read_receipt(beside)["outputs"]:
        if output["path"] == path.as_posix() and all(output[key] == value for key, value in stat.items()):
            return str(output["md5"])
    return None


def read_receipt(path: Path) -> dict[str, Any]:
    """Raises UserError for a receipt that is missing or is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: this receipt is missing; make what it belongs to anew, or restore it") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a receipt ({error}); delete it and make what it belongs to anew") from None
    if not isinstance(value, dict) or not _is_whole(value):
        raise UserError(
            f"{path}: not a receipt (stage, inputs or outputs are not told); delete it and make anew what it is of"
        )
    return value
