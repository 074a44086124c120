"""The audit of a number: back to the bytes behind it."""

import json
import sys
from pathlib import Path
from statistics import mean
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from pipeline import paths
from pipeline.lineage.provenance import ReportedNumbers, Step, closure
from pipeline.lineage.receipts import read_receipt
from pipeline.tables.aliases import over_seeds, short_alias
from pipeline.tables.markdown import number_of, shown

SHOWN_FILES = 6
"""Of a stage's inputs or outputs, before the rest is counted."""


def number(report: ReportedNumbers, alias: str) -> dict[str, Any]:
    """Everything behind a number: its values of each seed, and the chain of receipts, last stage first."""
    id = report.resolve(alias)
    folders = report.folders_of(id)
    metric = id.split("/")[-1]
    scored = [
        {"seed": report.evaluations[folder].seed, **one.model_dump()}
        for folder in folders
        for one in report.evaluations[folder].numbers
        if one.metric == metric
    ]
    steps = closure([folder / "receipt.json" for folder in folders])
    # The table's own receipts without their closure, which is that of every other number too.
    printed = [path for path in report.table_receipts() if path.exists()]
    steps = [Step(path, read_receipt(path)) for path in printed] + steps
    return {
        "number": id,
        "printed": _printed(report, id),
        "values": scored,
        "chain": [{"receipt": step.path.as_posix(), **step.receipt} for step in steps],
    }


def _printed(report: ReportedNumbers, id: str) -> dict[str, Any] | None:
    """What the report prints for a number over seeds: value, interval, difference to the reference; None for others."""
    path = paths.report(report.scale, report.dataset) / "metrics.json"
    if not path.exists():
        return None
    place: Any = json.loads(path.read_text(encoding="utf-8"))["measured"]
    for part in short_alias(id, report.ids).split("."):
        place = place.get(part, {})
    return place or None


def show_number(report: ReportedNumbers, alias: str, as_json: bool) -> None:
    """Print the chain of a number; without an alias, the numbers that there are."""
    report.must_have_numbers()
    if not alias:
        _list_numbers(report, as_json)
        return
    found = number(report, alias)
    if as_json:
        print(json.dumps(found, indent=1))
        return
    tree, metric = Tree(f"[bold]{found['number']}[/bold]"), found["number"].rpartition("/")[2]
    if found["printed"]:
        seeds = ", ".join(str(value["seed"]) for value in found["values"])
        tree.add(f"[bold]{_with_interval(found['printed'], metric)}[/bold]  as the table prints it, of seeds {seeds}")
    for value in found["values"]:
        against = [
            f"{name} {shown(value[name], metric)}, " for name in ("chance", "trivial") if value[name] is not None
        ]
        tree.add(
            f"{_with_interval(value, metric)}, {''.join(against)}seed {value['seed']}, layer {value['layer']}, "
            f"{number_of(value['count'], 'example')} of {number_of(value['clips'], 'clip')}"
        )
    for entry in found["chain"]:
        _add_step(tree, Step(Path(entry["receipt"]), entry))
    # In a pipe no line may be cut: paths and hashes are what is looked for.
    Console(highlight=False, width=None if sys.stdout.isatty() else 10_000).print(tree)


def _with_interval(value: dict[str, Any], metric: str) -> str:
    ends = [shown(value[name], metric) for name in ("value", "low", "high")]
    return f"{ends[0]}  95 % interval {ends[1]} to {ends[2]}"


def _list_numbers(report: ReportedNumbers, as_json: bool) -> None:
    """Each number over seeds, as the table has it, and after it those of its seeds."""
    own = {evaluation.id_of(one): one.value for evaluation in report.evaluations.values() for one in evaluation.numbers}
    values = {}
    for id, members in over_seeds(own).items():
        values[id] = mean(own[member] for member in members)
        values |= {member: own[member] for member in members}
    if as_json:
        print(json.dumps(values, indent=1))
        return
    ids = report.ids
    aliases = {id: short_alias(id, ids) for id in values}
    width = max(map(len, aliases.values()))
    for id, value in values.items():
        print(f"{shown(value, id.rpartition('/')[2]):>8}  {aliases[id]:{width}}  {id}")


def _add_step(tree: Tree, step: Step) -> None:
    receipt = step.receipt
    branch = tree.add(f"[bold]{escape(step.title)}[/bold]   {step.path.as_posix()}")
    commit = (receipt.get("commit") or "no commit")[:12] + (" with changes" if receipt.get("modified") else "")
    peak = receipt.get("peak_memory_bytes", 0) / 2**20
    branch.add(f"ran   {receipt.get('seconds')} s, {peak:.0f} MiB, commit {commit}, {_versions(receipt)}")
    for key, value in receipt["parameters"].items():
        branch.add(escape(f"told  {key} = {json.dumps(value)}"))
    for used in receipt.get("clips", []):
        branch.add(
            f"clips {used['role']} {used['count']} of {used['dataset']}/{used['split']}, index md5 {used['index']}"
        )
    for key, value in receipt.get("notes", {}).items():
        branch.add(f"note  {key}: {value}")
    for word, files in (("read ", receipt["inputs"]), ("wrote", receipt["outputs"])):
        for file in files[:SHOWN_FILES]:
            branch.add(f"{word} {file['md5']}  {escape(file['path'])}")
        if len(files) > SHOWN_FILES:
            branch.add(f"{word} and {len(files) - SHOWN_FILES} more (--json lists them)")


def _versions(receipt: dict[str, Any]) -> str:
    packages = receipt.get("packages", {})
    return ", ".join(f"{name} {packages[name]}" for name in ("torch", "pyarrow", "decord") if name in packages)
