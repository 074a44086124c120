"""Verification: every file of a chain hashed anew and held against receipts, the list of sources and dvc.lock."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from pipeline import files
from pipeline.errors import UserError
from pipeline.filenames import from_text
from pipeline.lineage.provenance import ReportedNumbers, Step, closure, was_made
from pipeline.lineage.receipts import read_receipt
from pipeline.progress import progress
from pipeline.store.index import read_index
from pipeline.tables import numbers
from pipeline.tables.results import read_result

LINKS = ("hardlink", "symlink")


class Hashes:
    """md5 of files and folders as they are now, each file read once."""

    def __init__(self) -> None:
        self.known: dict[Path, str] = {}
        self.size = 0

    def __call__(self, path: Path) -> str:
        if path.is_dir():
            return files.md5_of_folder(
                {one.relative_to(path).as_posix(): self(one) for one in files.folder_files(path)}
            )
        if path not in self.known:
            self.known[path] = files.md5_of(path)
            self.size += path.stat().st_size
        return self.known[path]


def verify(report: ReportedNumbers, alias: str) -> None:
    """Hash the chain of a number, or of every number and the table; of a dataset for pretraining alone, that of its
    runs. Raises UserError naming everything that differs."""
    started = time.time()
    if alias or report.is_measured():
        report.must_have_numbers()
    folders = report.folders_of(report.resolve(alias)) if alias else list(report.evaluations)
    tables = report.table_receipts()
    steps = closure([folder / "receipt.json" for folder in folders] or tables)
    steps += [Step(path, read_receipt(path)) for path in tables if path not in {step.path for step in steps}]
    hashes = Hashes()
    problems = [
        *_differences(steps, hashes),
        *_sources(steps, hashes),
        *_parameters(report, steps),
        *_lock(report, steps, hashes),
        *_numbers(folders),
        *_links(hashes),
    ]
    if problems:
        raise UserError("\nerror: ".join(dict.fromkeys(problems)))
    print(
        f"verified {len(steps)} receipts and {len(hashes.known)} files ({hashes.size / 1e9:.2f} GB) "
        f"in {time.time() - started:.1f} s: nothing differs"
    )


def _differences(steps: list[Step], hashes: Hashes) -> list[str]:
    problems = []
    for step in progress(steps, "hashing", len(steps)):
        for side, verb in (("outputs", "wrote"), ("inputs", "read")):
            for one in step.receipt[side]:
                path = Path(one["path"])
                if not path.exists():
                    problems.append(f"{path}: missing; {step.path} says that {step.title} {verb} it")
                elif hashes(path) != one["md5"]:
                    problems.append(
                        f"{path}: differs from what {step.title} {verb} ({step.path}): "
                        f"md5 expected {one['md5']}, found {hashes(path)}"
                    )
    return problems


def _sources(steps: list[Step], hashes: Hashes) -> list[str]:
    """Source files against the list that was made of them."""
    problems = []
    for step in steps:
        if step.receipt["stage"] != "fetch":
            continue
        listing = next(Path(one["path"]) for one in step.receipt["outputs"] if one["path"].endswith("files.parquet"))
        for row in read_index(listing).itertuples() if listing.exists() else ():
            path = from_text(str(row.path))
            if getattr(row, "reason", None):
                continue  # one that could not be read when it was listed: its hash is of nothing
            if not path.exists():
                problems.append(f"{row.path}: missing; {listing} lists it")
            elif hashes(path) != row.md5:
                problems.append(f"{row.path}: differs from the source file that {listing} lists")
    return problems


def _lock(report: ReportedNumbers, steps: list[Step], hashes: Hashes) -> list[str]:
    """Outputs against dvc.lock, which knows only what params.yaml asks for."""
    lock = Path("dvc.lock")
    if (report.scale, report.dataset) != (report.parameters.scale, report.parameters.dataset):
        return []
    if not lock.exists():
        print("dvc.lock: there is none to hold this against; `python -m pipeline record` makes it", file=sys.stderr)
        return []
    try:
        recorded = _outputs_of(yaml.safe_load(lock.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, KeyError) as error:
        return [f"{lock}: not readable ({type(error).__name__}); check it out again, or record anew"]
    made = {Path(one["path"]) for step in steps for one in step.receipt["outputs"]}
    made |= {step.path for step in steps}
    made |= {Path(one["path"]) for step in steps for one in step.receipt["inputs"] if "/fingerprints/" in one["path"]}
    outs_of = {path: {path, *path.parents} & recorded.keys() for path in made}
    problems = [
        f"{path}: not recorded in dvc.lock; `python -m pipeline record`" for path in sorted(made) if not outs_of[path]
    ]
    return problems + [
        f"{path}: differs from what dvc.lock records; if it is meant, `python -m pipeline record`"
        for path in sorted(set().union(*outs_of.values()))
        if path.exists() and hashes(path) != recorded[path]
    ]


def _parameters(report: ReportedNumbers, steps: list[Step]) -> list[str]:
    """What each stage was told, against params.yaml as it is now."""
    problems = []
    for step in steps:
        for key, told in step.receipt["parameters"].items():
            try:
                now = report.parameters.value(key)
            except KeyError:
                now = "nothing"
            if now != told:
                problems.append(f"{step.path}: {step.title} was told {key} = {told}, params.yaml has {now}")
    return problems


def _outputs_of(lock: dict[str, Any]) -> dict[Path, str]:
    stages = (lock.get("stages") or {}).values()
    return {Path(out["path"]): str(out["md5"]) for stage in stages for out in stage.get("outs", []) if "md5" in out}


def _numbers(folders: list[Path]) -> list[str]:
    """Numbers against the predictions that they were computed from."""
    problems = []
    for folder in folders:
        try:
            numbers.measure([read_result(folder)], references={}, draws=1, seed=0)
        except UserError as error:
            problems.append(str(error))
    return problems


def _links(hashes: Hashes) -> list[str]:
    """A linked output is copied when it is unprotected; Snakemake then takes it for newer than it is."""
    found = subprocess.run(
        [sys.executable, "-m", "dvc", "config", "cache.type"], capture_output=True, text=True, check=False
    )
    kinds = [kind for kind in LINKS if kind in found.stdout]
    problems = [f".dvc/config: cache.type is {found.stdout.strip()}; set it to reflink,copy" for _ in kinds[:1]]
    made = (path for path in hashes.known if was_made(path.as_posix()))
    linked = (path for path in made if path.is_symlink() or path.stat().st_nlink > 1)
    problems += [
        f"{path}: is a link, into DVC's cache perhaps; set cache.type to reflink,copy and `dvc checkout --relink`"
        for path in linked
    ]
    return problems
