"""shortcuts: what gives the labels of params.yaml's dataset away cheaply, and what can be learned of them."""

import json
import sys

import numpy as np
import pandas as pd

from pipeline import cards, paths, process
from pipeline.cards import read_card
from pipeline.errors import UserError
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import open_receipt
from pipeline.parameters import Parameters, keys_of
from pipeline.shortcuts.cheap import cheap, distances, powers
from pipeline.shortcuts.clips import collect
from pipeline.shortcuts.report import Ceiling, ShortcutReport
from pipeline.shortcuts.trials import BLIND, ORDERED, TASKS, Comparison, Trial, compare, trial
from pipeline.store import index
from pipeline.store.index import read_index
from pipeline.store.source import StoreSource
from selfsup.training import LogRow, resolved_precision

STREAMS = {"frames", "flow", "spectrogram"}
STILLS = "object from stills"


def shortcuts(parameters: Parameters) -> None:
    """Writes `reports/shortcuts.md` and `reports/shortcuts.json`. Raises UserError for a dataset without annotations,
    or a store without the streams that the cues are measured on."""
    scale, dataset = parameters.scale, parameters.dataset
    images = cards.stills_of(dataset, parameters.datasets)
    path, card = paths.shortcuts(), read_card(dataset)
    missing = sorted(STREAMS - set(parameters.at(scale).store.streams))
    if missing or card.kind != "rendered":
        wrong = (
            f"store.streams lacks {', '.join(missing)}" if missing else f"{dataset} is not annotated (kind {card.kind})"
        )
        raise UserError(f"{paths.PARAMETERS}: shortcuts are of a rendered dataset's frames, flow and sound: {wrong}")
    indices = {
        (name, split): paths.index(scale, name, split) for name in {dataset: 0, images: 0} for split in paths.SPLITS
    }
    rows = {key: read_index(one) for key, one in indices.items()}
    shards = [
        paths.decoded(scale, name) / f"{shard}.arrow"
        for (name, _), table in rows.items()
        for shard in sorted(table["shard"].unique())
    ]
    tuples = [paths.tuples(scale, dataset, split) for split in paths.SPLITS]
    objects = paths.annotations(scale, dataset, "objects")
    with open_receipt(
        "shortcuts",
        receipt=path.with_suffix(".receipt.json"),
        inputs=[
            *indices.values(),
            *shards,
            *tuples,
            objects,
            *(paths.card(name) for name in dict.fromkeys([dataset, images])),
            fingerprints.check("shortcuts", parameters, scale),
        ],
        outputs=[path, path.with_suffix(".json")],
        parameters=parameters.used(keys_of(parameters, "shortcuts", scale, dataset)),
        identity={"scale": scale, "dataset": dataset},
    ) as stage:
        device = process.device(parameters.device)
        too_small = (
            f"{paths.PARAMETERS}: scales.{scale}.shortcuts: the memory of this machine's {device} is too small for "
            "them; make frames or the ceilings' batch_size smaller"
        )
        try:
            with process.enough_memory(too_small):
                report = _report(parameters, rows, pd.concat([read_index(one) for one in tuples]), device)
        except ValueError as error:
            raise UserError(f"{paths.PARAMETERS}: shortcuts of {dataset} at scale {scale}: {error}") from error
        stage.partial(path).write_text(report.to_markdown(), encoding="utf-8")
        values = json.dumps(report.to_json(), indent=1, sort_keys=True)
        stage.partial(path.with_suffix(".json")).write_text(values + "\n", encoding="utf-8")
        stage.notes |= {
            "device": device,
            "precision": {
                name: resolved_precision(schedule.precision, device)
                for name, schedule in parameters.at(scale).shortcuts.ceilings
            },
            "threads": parameters.at(scale).threads,
            "passes": report.to_json()["passes"],
        }


def _report(
    parameters: Parameters, rows: dict[tuple[str, str], pd.DataFrame], tuples: pd.DataFrame, device: str
) -> ShortcutReport:
    scale, dataset = parameters.scale, parameters.dataset
    images = cards.stills_of(dataset, parameters.datasets)
    settings, card = parameters.at(scale).shortcuts, read_card(dataset)
    tables = [rows[dataset, split] for split in paths.SPLITS]
    usable = pd.concat([table.iloc[index.usable(table)] for table in tables], ignore_index=True)
    found = collect(
        usable,
        paths.decoded(scale, dataset),
        paths.annotations(scale, dataset, "objects"),
        tuples[tuples["strategy"] == "motion"],
        points=settings.frames,
        folds=settings.folds,
        per_clip=settings.tuples,
    )
    if not found.positions:
        raise ValueError(
            f"no clip fits into one window of store.window_seconds, {parameters.at(scale).store.window_seconds:g} s"
        )
    labels: dict[str, np.ndarray] = {}
    for name in ("action", "object", "sounding"):
        if name in card.labels:
            numbers = {label: number for number, label in enumerate(card.labels[name].classes)}
            labels[name] = usable[f"label_{name}"].iloc[found.positions].map(numbers).to_numpy()
    findings = cheap(found, labels, "sounding" if "sounding" in labels else None, settings)
    ceilings, order_gap = _ceilings(parameters, rows, device)
    return ShortcutReport(
        scale=scale,
        dataset=dataset,
        images=images,
        clips=len(found.positions),
        tuples=len(found.owners),
        findings=findings,
        powers=powers(findings, settings.margin),
        distances=distances(found, settings),
        ceilings=ceilings,
        order_gap=order_gap,
        settings=settings,
    )


def _ceilings(
    parameters: Parameters, rows: dict[tuple[str, str], pd.DataFrame], device: str
) -> tuple[list[Ceiling], Comparison | None]:
    """Of the tasks whose label there is, and what order is worth to the action networks."""
    scale, settings = parameters.scale, parameters.at(parameters.scale).shortcuts
    found: list[Ceiling] = []
    trials: dict[str, Trial] = {}
    for task, label in TASKS.items():
        stills = cards.stills_of(parameters.dataset, parameters.datasets)
        dataset = stills if task == STILLS else parameters.dataset
        known = read_card(dataset).labels
        if label not in known:
            continue
        sources = {
            split: StoreSource(
                paths.decoded(scale, dataset), rows[dataset, split], "clips", {label: known[label].classes}
            )
            for split in paths.SPLITS
        }
        print(task, file=sys.stderr, flush=True)
        one = trials[task] = trial(task, sources, settings, device, _print_row)
        everything = compare(task, one.correct, one.untrained, one.clusters, parameters.bootstrap)
        few = compare(task, one.few[1], one.few[0], one.clusters, parameters.bootstrap) if one.few else everything
        examples, clips = one.correct.shape[1], len(np.unique(one.clusters))
        found.append(Ceiling(task, examples, clips, one.chance, everything, few, dict(one.choice)))
    if ORDERED not in trials:
        return found, None
    first, second = trials[ORDERED], trials[BLIND]
    return found, compare("order", first.correct, second.correct, first.clusters, parameters.bootstrap)


def _print_row(row: LogRow) -> None:
    print("  ".join(f"{name} {value:.6g}" for name, value in row.items()), file=sys.stderr, flush=True)
