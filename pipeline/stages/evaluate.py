"""evaluate: one run under one protocol, from frozen weights to per-example predictions and from those to numbers."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import cards, layout, process
from pipeline.errors import UserError, did_you_mean
from pipeline.files import write_json
from pipeline.lineage import fingerprints, receipts
from pipeline.parameters import Parameters, keys_of
from pipeline.stages.weights import read_encoder
from pipeline.store import index
from pipeline.store.source import StoreSource
from selfsup.methods import METHODS
from selfsup.probes import PROTOCOLS
from selfsup.probes.intervals import bootstrap_interval
from selfsup.probes.metrics import PER_EXAMPLE
from selfsup.registry import load

ROLES = {"train": "probe trained on", "validation": "chosen on", "test": "tested on"}


def evaluate(parameters: Parameters, scale: str, dataset: str, run: str, seed: int, on: str, protocol: str) -> None:
    """Writes `predictions.parquet` (one row a test example) and `numbers.json`."""
    for name, known in ((run, parameters.runs), (protocol, parameters.protocols)):
        if name not in known:
            raise UserError(f"{layout.PARAMETERS}: no run or protocol {name!r}{did_you_mean(name, known)}")
    folder = layout.evaluation(scale, dataset, run, seed, on, protocol)
    weights = layout.run(scale, dataset, run, seed) / "model.safetensors"
    indices = {split: layout.index(scale, on, split) for split in layout.SPLITS}
    pretrained = layout.index(scale, dataset, "train")
    rows = {split: index.read(path) for split, path in indices.items()}
    shards = sorted({f"{shard}.arrow" for table in rows.values() for shard in table["shard"].unique()})
    with receipts.open(
        "evaluate",
        receipt=folder / "receipt.json",
        inputs=[
            weights,
            *dict.fromkeys([pretrained, *indices.values()]),
            *(layout.decoded(scale, on) / shard for shard in shards),
            layout.card(on),
            fingerprints.check("pretrain", parameters, scale, run),
            fingerprints.check("evaluate", parameters, scale, protocol),
        ],
        outputs=[folder / "predictions.parquet", folder / "numbers.json"],
        parameters=parameters.used(keys_of("evaluate", scale, on, protocol)),
        identity={"scale": scale, "dataset": dataset, "run": run, "seed": seed, "on": on, "protocol": protocol},
    ) as stage:
        device, card = process.device(parameters.device), cards.read(on)
        trained = load(METHODS, parameters.runs[run].method).trains
        encoder = read_encoder(weights).to(device)
        try:
            chosen = parameters.protocols[protocol]
            sizes = parameters.at(scale).protocols[protocol]
            probe = load(PROTOCOLS, chosen.probe)(
                **card.arguments({"label": chosen.label, **chosen.arguments, **sizes})
            )
            classes = card.classes_of(probe.labels)
            sources = {
                split: StoreSource(layout.decoded(scale, on), table, probe.table, classes)
                for split, table in rows.items()
            }
            result = probe.evaluate(encoder, **sources, device=device, seed=seed)
        except ValueError as error:
            raise UserError(f"{layout.PARAMETERS}: protocol {protocol} on {on} at scale {scale}: {error}") from error
        predictions = _with_clips(result.predictions, rows["test"])
        pq.write_table(pa.table(predictions), stage.partial(folder / "predictions.parquet"))
        clips, clusters = np.unique(predictions["parent"], return_inverse=True)
        scored = [
            {
                "layer": result.choice["layer"],
                "metric": metric,
                **asdict(
                    bootstrap_interval(
                        PER_EXAMPLE[metric](result.predictions),
                        clusters,
                        draws=parameters.bootstrap.draws,
                        seed=parameters.bootstrap.seed,
                    )
                ),
                "count": len(clusters),
                "clips": len(clips),
                **result.baselines,
            }
            for metric in probe.metrics
        ]
        numbers = {
            "scale": scale,
            "dataset": dataset,
            "run": run,
            "seed": seed,
            "on": on,
            "protocol": protocol,
            "choice": result.choice,
            "candidates": result.candidates,
            "numbers": scored,
            "overlap": _overlap(index.read(pretrained), rows) if trained else dict.fromkeys(rows, 0),
        }
        write_json(stage.partial(folder / "numbers.json"), numbers)
        for split, table in rows.items():
            md5 = receipts.describe(indices[split])["md5"]
            stage.used_clips(ROLES[split], on, split, md5, len(index.usable(table)))
        stage.notes |= {"device": device, "threads": parameters.threads}


def _with_clips(predictions: dict[str, np.ndarray], rows: pd.DataFrame) -> dict[str, Any]:
    """A probe's predictions with the ids of the clips in place of their positions in the index."""
    chosen = rows.iloc[predictions["row"]]
    return {
        "id": chosen["id"].to_numpy(),
        "parent": chosen["parent"].to_numpy(),
        "label": predictions["label"],
        "prediction": predictions["prediction"],
        "scores": list(predictions["scores"]),
    }


def _overlap(pretrained: pd.DataFrame, rows: dict[str, pd.DataFrame]) -> dict[str, int]:
    """Source files of each split that pretraining has used too, told by their hashes, whatever they are called. A still
    counts as the file that it is cut from."""
    used = set(pretrained["origin"].iloc[index.usable(pretrained)])
    return {split: len(used & set(table["origin"].iloc[index.usable(table)])) for split, table in rows.items()}
