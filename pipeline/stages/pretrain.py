"""pretrain: one run with one seed, from the store to an encoder's weights."""

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline import cards, eligibility, layout, process
from pipeline.errors import UserError, did_you_mean
from pipeline.lineage import fingerprints, receipts
from pipeline.parameters import Parameters, keys_of
from pipeline.stages.weights import split_state, write_state
from pipeline.store import index
from pipeline.store.source import StoreSource
from selfsup.methods import METHODS
from selfsup.networks import NETWORKS
from selfsup.networks.encoder import Encoder
from selfsup.registry import load
from selfsup.training import LogRow, Schedule, build
from selfsup.training import pretrain as train


def pretrain(parameters: Parameters, scale: str, dataset: str, run: str, seed: int) -> None:
    """Writes `model.safetensors` (the encoders' state, their networks' arguments as metadata), `heads.safetensors` (the
    rest of the method's: heads, and what `fit` computed) and `log.csv`."""
    if run not in parameters.at(scale).training:
        raise UserError(
            f"{layout.PARAMETERS}: scales.{scale}.training: no run {run!r}{did_you_mean(run, parameters.runs)}"
        )
    folder = layout.run(scale, dataset, run, seed)
    weights, heads, log = (folder / name for name in ("model.safetensors", "heads.safetensors", "log.csv"))
    chosen, training = parameters.runs[run], parameters.at(scale).training[run]
    rows_path = layout.index(scale, dataset, "train")
    device, card = process.device(parameters.device), cards.read(dataset)
    rows = index.read(rows_path)
    shards = [layout.decoded(scale, dataset) / f"{shard}.arrow" for shard in sorted(rows["shard"].unique())]
    with receipts.open(
        "pretrain",
        receipt=folder / "receipt.json",
        inputs=[
            rows_path,
            *shards,
            *eligibility.tuples_of_run(parameters, scale, dataset, run),
            layout.card(dataset),
            fingerprints.check("pretrain", parameters, scale, run),
        ],
        outputs=[weights, heads, log],
        parameters=parameters.used(keys_of("pretrain", scale, dataset, run)),
        identity={"scale": scale, "dataset": dataset, "run": run, "seed": seed},
    ) as stage:
        try:
            networks = {name: _network(described) for name, described in training.networks.items()}
            given = card.arguments(chosen.arguments)
            method = build(load(METHODS, chosen.method), given, networks, seed)
            source = StoreSource(layout.decoded(scale, dataset), rows, method.table, card.classes_of(method.labels))
            schedule = Schedule(**training.schedule.model_dump()) if training.schedule else None
            entries = len(source.table["row"])
            if schedule and card.kind == "folder" and entries < schedule.batch_size:
                # Somebody's own folder is as small as it is: it trains on whole epochs rather than not at all.
                schedule = replace(schedule, batch_size=entries)
                stage.notes["batch_size"] = entries
            history = train(method, source, schedule, seed, device, _print_row)
        except ValueError as error:
            raise UserError(f"{layout.PARAMETERS}: run {run} at scale {scale}: {error}") from error
        state = {key: value.detach().cpu().contiguous() for key, value in method.state_dict().items()}
        kept, rest = split_state(state, list(training.networks))
        write_state(kept, stage.partial(weights), {"networks": json.dumps(training.networks, sort_keys=True)})
        write_state(
            rest, stage.partial(heads), {"method": chosen.method, "arguments": json.dumps(given, sort_keys=True)}
        )
        _write_log(history, stage.partial(log))
        if method.trains:
            stage.used_clips(
                "trained on", dataset, "train", receipts.describe(rows_path)["md5"], len(index.usable(rows))
            )
        stage.notes |= {
            "device": device,
            "seed": seed,
            "threads": parameters.threads,
            "parameters_of_encoder": sum(
                parameter.numel() for encoder in method.encoders().values() for parameter in encoder.parameters()
            ),
            "images_seen": int(history[-1]["images"]) if history else 0,
        }


def _network(described: dict[str, Any]) -> tuple[type[Encoder], dict[str, Any]]:
    arguments = {key: value for key, value in described.items() if key != "name"}
    return load(NETWORKS, described["name"]), arguments


def _print_row(row: LogRow) -> None:
    print("  ".join(f"{name} {value:.6g}" for name, value in row.items()), file=sys.stderr, flush=True)


def _write_log(history: list[LogRow], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(history[0]) if history else ["step"])
        writer.writeheader()
        writer.writerows(history)
