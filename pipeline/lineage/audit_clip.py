"""The audit of a clip: forward to the numbers that it touched."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from pipeline import cards, paths
from pipeline.errors import UserError, did_you_mean
from pipeline.lineage import file_lookup, receipts
from pipeline.lineage.exclusions import read_exclusions
from pipeline.lineage.provenance import ReportedNumbers, Step, closure
from pipeline.parameters import Parameters
from pipeline.store import index
from pipeline.store.index import read_index
from pipeline.tables.results import read_predictions

SINCE = "(excluded since; rerun)"
TESTED = "tested on"


def dataset_of(parameters: Parameters, scale: str, name: str) -> str:
    """The dataset of a clip: the first part of its id, or the one that lists its file among those that are decoded at a
    scale. Raises UserError for a file that none of them lists."""
    known = cards.names()
    if name.partition("/")[0] in known:
        return name.partition("/")[0]
    order = sorted(known, key=lambda one: (one != parameters.dataset, cards.parent(one) is not None, one))
    decoded = [one for one in order if _decoded(scale, one)]
    listing = [one for one in decoded if any(file_lookup.by_path(rows, name, one).any() for rows in _rows(scale, one))]
    found = list(dict.fromkeys(cards.parent(one) or one for one in listing))
    if len(found) > 1:
        raise UserError(f"{name}: a file of each of {', '.join(found)}; say which by --dataset")
    if found:
        return found[0]
    if inside := [one for one in decoded if file_lookup.id_of_path(name, one)]:
        return inside[0]
    if decoded and (Path(name).exists() or parameters.dataset not in decoded):
        raise UserError(f"{name}: no file of {', '.join(decoded)}, which is all that is decoded at scale {scale}")
    return parameters.dataset


def _decoded(scale: str, dataset: str) -> dict[str, Path]:
    """The indices that there are, by split."""
    indices = {split: paths.index(scale, dataset, split) for split in paths.SPLITS}
    return {split: path for split, path in indices.items() if path.exists()}


def _rows(scale: str, dataset: str) -> Iterator[pd.DataFrame]:
    return (read_index(path) for path in _decoded(scale, dataset).values())


def clip(report: ReportedNumbers, name: str) -> dict[str, Any]:
    """What a clip (its id, or a path to its file) is in the store, and every number that it touched, with its roles.
    One that was made before the clip was excluded is among them, and its role says so.

    Raises UserError for a clip that no split holds, and for numbers made from another index than is here now.
    """
    places = _find(report, name)
    listed = read_exclusions()
    touched = []
    for folder, evaluation in report.evaluations.items():
        steps = closure([folder / "receipt.json"])
        roles = [
            role
            for step in steps
            for used in step.receipt.get("clips", [])
            if (place := (used["dataset"], used["split"])) in places
            and (role := _role(used, *places[place], listed, step, folder))
        ]
        if roles:
            touched += [
                {"number": evaluation.id_of(one), "value": one.value, "roles": sorted(set(roles))}
                for one in evaluation.numbers
            ]
    rows = pd.concat([rows for rows, _ in places.values()])
    first = rows.iloc[0]
    usable = rows.iloc[index.usable(rows)]
    return {
        "clip": first["parent"],
        "also": sorted({*rows["parent"]} - {first["parent"]}),
        "copies": sorted(_of_same_bytes(report, first) - {*rows["parent"]}),
        "links": file_lookup.links(rows, name, report.dataset),
        "file": first["path"],
        "md5": first["md5"],
        "split": first["split"],
        "windows": sum(len(rows) for (dataset, _), (rows, _) in places.items() if dataset == report.dataset),
        "stills": sum(len(rows) for (dataset, _), (rows, _) in places.items() if dataset != report.dataset),
        "usable": len(usable) > 0,
        "unused": sorted(set(rows["reason"].dropna())),
        "excluded_since": sorted({listed[one] for one in (*usable["parent"], *usable["id"]) if one in listed}),
        "numbers": touched,
    }


def _role(
    used: dict[str, Any], rows: pd.DataFrame, md5: str, listed: dict[str, str], step: Step, folder: Path
) -> str | None:
    """As what a stage used a clip, of which an index has these rows; None where it did not. listed: what is to be
    excluded now. folder: of the evaluation that the stage leads to."""
    role, usable = str(used["role"]), rows.iloc[index.usable(rows)]
    if len(usable):
        # The index says that it was used.
        if used["index"] != md5:
            raise UserError(
                f"{step.path}: was made from another index of {used['dataset']}/{used['split']}; run Snakemake first"
            )
        since = any(one in listed for one in (*usable["parent"], *usable["id"]))
        return f"{role} {SINCE}" if since else role
    if used["index"] == md5 or not any(one in listed for one in (*rows["parent"], *rows["id"])):
        return None
    # The index was made anew without it, the number was not. Which clips were scored is kept beside it.
    if role == TESTED:
        return f"{role} {SINCE}" if scored_clips(folder) & {*rows["parent"], *rows["id"]} else None
    return f"perhaps {role} (excluded, and not made again since; rerun)"


def scored_clips(folder: Path) -> set[str]:
    """What an evaluation's predictions are of: clips, windows of clips that others are paired with, and what was found.

    Raises UserError for a predictions.parquet that is missing or broken."""
    table = read_predictions(folder, ["parent", "partner", "retrieved"])
    columns = [table["parent"], table["partner"], pc.list_flatten(table["retrieved"])]
    return {clip for column in columns for clip in column.unique().to_pylist() if clip is not None}


def _find(report: ReportedNumbers, name: str) -> dict[tuple[str, str], tuple[pd.DataFrame, str]]:
    """By dataset and split: the rows of the index that a clip has, and the index's md5; of the report's dataset first,
    then of the stills that are cut from it."""
    stills = [one for one in report.parameters.at(report.scale).datasets if cards.parent(one) == report.dataset]
    indices = {
        (dataset, split): path
        for dataset in (report.dataset, *stills)
        for split, path in _decoded(report.scale, dataset).items()
    }
    if not indices:
        raise UserError(f"{name}: {report.dataset} is not decoded at scale {report.scale}; --scale names another")
    rows = {place: read_index(path) for place, path in indices.items()}
    exact = {
        place: of[file_lookup.by_id(of, name) | file_lookup.by_path(of, name, place[0])] for place, of in rows.items()
    }
    written = {place: of[file_lookup.by_written_id(of, name)] for place, of in rows.items()}
    for found in (exact, written):
        if places := {
            place: (mine, receipts.describe(indices[place])["md5"]) for place, mine in found.items() if len(mine)
        }:
            return places
    known = dict.fromkeys(parent for of in rows.values() for parent in of["parent"])
    raise UserError(
        f"{name}: no such clip in {report.dataset} at scale {report.scale} (--dataset names other data)"
        f"{did_you_mean(file_lookup.id_of_path(name, report.dataset) or name, list(known)[:20000])}"
    )


def _of_same_bytes(report: ReportedNumbers, clip: "pd.Series[Any]") -> set[str]:
    """The ids of all files that hold what a clip's file holds: itself, links and copies."""
    alike = (rows.loc[rows["md5"] == clip["md5"], "parent"] for rows in _rows(report.scale, report.dataset))
    return {parent for parents in alike for parent in parents}


def show_clip(report: ReportedNumbers, name: str, as_json: bool) -> None:
    """Print what a clip touched."""
    found = clip(report, name)
    if as_json:
        print(json.dumps(found, indent=1))
        return
    print(f"{found['clip']}   {found['file']}   md5 {found['md5']}   {found['split']}")
    for link, target in found["links"].items():
        print(f"  {link} is a link to {target}")
    for other in found["also"]:
        print(f"  the same file is listed as {other} too")
    for other in found["copies"]:
        print(f"  {other} holds the same bytes: what it touched is told by its own id")
    unused = "in part not used" if found["usable"] else "no longer used" if found["numbers"] else "used for nothing"
    for reason in found["unused"]:
        print(f"  {unused}: {reason}")
    for reason in found["excluded_since"]:
        print(f"  excluded since by {paths.EXCLUDED}: {reason}")
    for one in found["numbers"]:
        print(f"  {', '.join(one['roles']):40} {100 * one['value']:6.1f} %  {one['number']}")
