"""Fingerprints: small files that stand for the code in both drivers, rewritten only when the code's meaning changes.

A fingerprint is the hash of the syntax trees of the project modules that a stage reaches by imports. Comments,
docstrings and layout do not count. The list of datasets does not count either, but its entries do, for who uses them.
Methods, networks and probes are named by their paths, so that a new file retrains nothing. Bookkeeping modules are left
out because their effect is recorded otherwise: what params.yaml and the cards say stands in the receipts as values, and
lineage only watches.
"""

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline import cards, paths
from pipeline.datasets import DATASETS, FOLDER
from pipeline.errors import UserError
from pipeline.files import digest, write_json
from pipeline.parameters import Parameters, keys_of
from pipeline.parameters.models import class_paths
from selfsup.class_path import METHODS, NETWORKS

PACKAGES = ("pipeline", "selfsup")
REGISTRIES = {"pipeline.datasets": "DATASETS"}
BOOKKEEPING = (
    "pipeline.cards",
    "pipeline.class_source",
    "pipeline.cli",
    "pipeline.errors",
    "pipeline.files",
    "pipeline.lineage.audit",
    "pipeline.lineage.audit_clip",
    "pipeline.lineage.dvc_sync",
    "pipeline.lineage.fingerprints",
    "pipeline.lineage.provenance",
    "pipeline.lineage.receipts",
    "pipeline.lineage.verify",
    "pipeline.parameters",
    "pipeline.paths",
    "pipeline.progress",
    "pipeline.validation",
)
REMEMBERED = Path(".snakemake/syntax.json")
STAGES = ("crop", "decode", "index", "mine", "report", "publish", "shortcuts", "reel")


@dataclass(frozen=True)
class Module:
    """A project module: the hash of its syntax tree, and the project modules that it imports."""

    name: str
    digest: str
    imports: frozenset[str]


def normalised(tree: ast.AST, registry: str | None = None) -> str:
    """A text that is equal for syntax trees of equal meaning. Empty fields are left out, so that it does not depend on
    Python's version; so are docstrings and the assignment of `registry`."""
    fields = []
    for name, value in ast.iter_fields(tree):
        if isinstance(value, list):
            kept = [item for item in value if not _assigns(item, registry) and not _is_text(item)]
            parts = [normalised(item) if isinstance(item, ast.AST) else repr(item) for item in kept]
            value = f"[{','.join(parts)}]" if parts else None
        elif isinstance(value, ast.AST):
            value = normalised(value)
        elif value is not None:
            value = repr(value)
        if value is not None:
            fields.append(f"{name}={value}")
    return f"{type(tree).__name__}({','.join(fields)})"


def _is_text(node: object) -> bool:
    """A string that stands alone: a docstring, of a module, class, function or attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _assigns(node: object, name: str | None) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return name is not None and any(isinstance(target, ast.Name) and target.id == name for target in targets)


@cache
def source_file(module: str) -> Path | None:
    """The file of a project module; None for anything else (another package, a name inside a module). Nothing is
    imported: what a stage imports takes seconds, and whoever plans needs none of it."""
    above, _, name = module.rpartition(".")
    if not above:
        spec = find_spec(module) if module in PACKAGES else None
        return Path(spec.origin) if spec and spec.origin else None
    package = source_file(above)
    if package is None or package.name != "__init__.py":
        return None
    found = (package.parent / name / "__init__.py", package.parent / f"{name}.py")
    return next((path for path in found if path.exists()), None)


@cache
def module(name: str) -> Module:
    """Raises UserError for a module that is not valid Python."""
    file = source_file(name)
    assert file is not None, name
    content = file.read_bytes()
    key = f"{name} {hashlib.md5(content).hexdigest()} {hashlib.md5(Path(__file__).read_bytes()).hexdigest()}"
    known = _remembered()
    if key not in known:
        try:
            tree = ast.parse(content)
        except SyntaxError as error:
            raise UserError(f"{file}:{error.lineno}: not valid Python: {error.msg}") from None
        names = sorted(_imported_names(tree, name if file.name == "__init__.py" else name.rpartition(".")[0]))
        text = normalised(tree, REGISTRIES.get(name))
        for old in [one for one in known if one.startswith(f"{name} ")]:
            del known[old]
        known[key] = {"digest": hashlib.sha256(text.encode()).hexdigest(), "names": names}
    imports = frozenset(imported for imported in known[key]["names"] if source_file(imported))
    return Module(name, known[key]["digest"], imports)


@cache
def _remembered() -> dict[str, Any]:
    """What was found in files of the same bytes before: reading all syntax trees anew takes half a second."""
    found = _read(REMEMBERED)
    return found if isinstance(found, dict) else {}


def _imported_names(tree: ast.AST, package: str) -> set[str]:
    """Dotted names imported anywhere in a tree, inside functions too, each with the packages above it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
    parts = [name.split(".") for name in names]
    return {".".join(part[: length + 1]) for part in parts for length in range(len(part))}


def reached(roots: list[str]) -> list[Module]:
    """Modules reached from `roots` by imports, bookkeeping aside, in the order of their names."""
    found: dict[str, Module] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found or any(name == other or name.startswith(f"{other}.") for other in BOOKKEEPING):
            continue
        found[name] = module(name)
        waiting += found[name].imports
    return [found[name] for name in sorted(found)]


def fingerprint(roots: list[str], begins_with: Mapping[str, str]) -> dict[str, object]:
    """roots: modules, or classes `module:Class` -> the hash of all that they reach, and of each module. begins_with: by
    run, a digest of the parameters of one that this one is `init_from`."""
    modules = {found.name: found.digest for found in reached([root.partition(":")[0] for root in dict.fromkeys(roots)])}
    said = [sorted(set(roots)), modules, *([dict(begins_with)] if begins_with else [])]
    whole = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    more = {"begins_with": dict(begins_with)} if begins_with else {}
    return {"fingerprint": whole, "roots": sorted(set(roots)), "modules": modules, **more}


def _now(stage: str, parameters: Parameters, scale: str, name: str) -> dict[str, object]:
    """The fingerprint of the code as it is now."""
    sources = parameters.chain_of(name)[1:] if stage == "pretrain" else []
    # DVC learns by it that what a run begins with is another; Snakemake by the weights.
    begins_with = {
        source: digest(parameters.used(keys_of(parameters, "pretrain", scale, "", source))) for source in sources
    }
    return fingerprint(roots_of(stage, parameters, scale, name), begins_with)


def roots_of(stage: str, parameters: Parameters, scale: str, name: str = "") -> list[str]:
    """Where the code of a stage begins; `name` is its run, protocol or dataset."""
    roots = [f"pipeline.stages.{stage}"]
    if stage == "fetch":
        roots += [DATASETS.get(name, FOLDER)]
    if stage == "pretrain":
        for run in parameters.chain_of(name):
            networks = parameters.at(scale).networks[parameters.runs[run].train.networks].values()
            arguments = parameters.arguments(scale, run)
            roots += [parameters.entry(run), *(f"{METHODS}.{path}" for path in class_paths(arguments))]
            roots += [*(f"{NETWORKS}.{network['network']}" for network in networks)]
    if stage == "evaluate":
        roots += [parameters.probe(name)]
    return roots


def path_of(stage: str, scale: str, name: str = "") -> Path:
    return paths.fingerprints(scale) / (f"{stage}/{name}.json" if name else f"{stage}.json")


def refresh(parameters: Parameters, scale: str) -> list[Path]:
    """Write every fingerprint of a scale that has changed, remove those of what is no more; returns the written."""
    wanted = [(stage, "") for stage in STAGES]
    made = [dataset for dataset in parameters.at(scale).datasets if cards.parent(dataset) is None]
    wanted += [("fetch", dataset) for dataset in (*made, *cards.folders())]
    wanted += [("pretrain", run) for run in parameters.runs]
    wanted += [("evaluate", protocol) for protocol in parameters.protocols]
    written = []
    for stage, name in wanted:
        path = path_of(stage, scale, name)
        value = _now(stage, parameters, scale, name)
        if _read(path) != value:
            write_json(path, value)
            written.append(path)
    keep = {path_of(stage, scale, name) for stage, name in wanted}
    for stale in set(paths.fingerprints(scale).rglob("*.json")) - keep:
        stale.unlink()
    if _read(REMEMBERED) != _remembered():
        write_json(REMEMBERED, _remembered())
    return written


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def check(stage: str, parameters: Parameters, scale: str, name: str = "") -> Path:
    """The stage's fingerprint file, after holding it against the code that is about to run.

    Raises UserError if they differ: the code was changed after the DAG was made.
    """
    path = path_of(stage, scale, name)
    now = _now(stage, parameters, scale, name)
    recorded = _read(path)
    if recorded != now:
        what = "is missing" if recorded is None else "is of other code than what is here now"
        raise UserError(f"{path}: {what}; run `python -m pipeline fingerprint`, or the same command once more")
    return path
