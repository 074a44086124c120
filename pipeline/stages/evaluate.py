"""evaluate: one run under one protocol, from frozen weights to per-example predictions and from those to numbers."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import extra_inputs, paths, process
from pipeline.cards import read_card
from pipeline.errors import UserError, did_you_mean
from pipeline.files import write_json
from pipeline.lineage import fingerprints, receipts
from pipeline.lineage.receipts import open_receipt
from pipeline.parameters import Parameters, keys_of
from pipeline.parameters.models import Bootstrap
from pipeline.run_files.weights import outcome, read_encoders, read_method
from pipeline.store import index
from pipeline.store.features import read_features
from pipeline.store.index import read_index
from pipeline.store.source import StoreSource
from selfsup.probes import PROTOCOLS
from selfsup.probes.features import labelled
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.registry import load
from selfsup.source import TooLittleData
from selfsup.statistics.intervals import bootstrap_interval
from selfsup.statistics.metrics import per_example
from selfsup.training import resolved_precision

IDS = pa.list_(pa.string())
NO_PREDICTIONS = pa.schema(
    [
        ("metric", pa.dictionary(pa.int32(), pa.string())),
        *((name, pa.string()) for name in ("id", "parent", "partner")),
        ("retrieved", IDS),
        *((name, pa.int64()) for name in ("label", "prediction")),
        ("scores", pa.list_(pa.float32())),
    ]
).empty_table()
"""Of an evaluation that the data do not allow."""
ROLES = {"train": "probe trained on", "validation": "chosen on", "test": "tested on"}


def evaluate(parameters: Parameters, scale: str, dataset: str, run: str, seed: int, on: str, protocol: str) -> None:
    """Writes `predictions.parquet` (one row a test example) and `numbers.json`; of a user's own files
    that are too few for the run or the protocol, without any number, and why."""
    for name, known in ((run, parameters.runs), (protocol, parameters.protocols)):
        if name not in known:
            raise UserError(f"{paths.PARAMETERS}: no run or protocol {name!r}{did_you_mean(name, known)}")
    folder = paths.evaluation(scale, dataset, run, seed, on, protocol)
    weights, heads = (
        paths.run(scale, dataset, run, seed) / name for name in ("model.safetensors", "heads.safetensors")
    )
    indices = {split: paths.index(scale, on, split) for split in paths.SPLITS}
    pretrained = paths.index(scale, dataset, "train")
    rows = {split: read_index(path) for split, path in indices.items()}
    card = read_card(on)
    chosen = parameters.protocols[protocol]
    objects = extra_inputs.objects(PROTOCOLS[chosen.probe], scale, card)
    kept = paths.features(scale, dataset, run, seed, on)
    if reads_features := extra_inputs.reads_features(PROTOCOLS[chosen.probe]):
        seen = [kept]
    else:
        shards = sorted({f"{shard}.arrow" for table in rows.values() for shard in table["shard"].unique()})
        seen = [
            *(paths.decoded(scale, on) / shard for shard in shards),
            *extra_inputs.tuples(PROTOCOLS[chosen.probe], scale, on, paths.SPLITS),
            *objects,
            fingerprints.check("pretrain", parameters, scale, run),
        ]
    with open_receipt(
        "evaluate",
        receipt=folder / "receipt.json",
        inputs=[
            weights,
            heads,
            *dict.fromkeys([pretrained, *indices.values()]),
            *seen,
            paths.card(on),
            fingerprints.check("evaluate", parameters, scale, protocol),
        ],
        outputs=[folder / "predictions.parquet", folder / "numbers.json"],
        parameters=parameters.used(keys_of("evaluate", scale, on, protocol)),
        identity={"scale": scale, "dataset": dataset, "run": run, "seed": seed, "on": on, "protocol": protocol},
    ) as stage:
        device = process.device(parameters.device)
        before, results = outcome(heads), []
        refused = before.refused
        try:
            sizes = parameters.at(scale).protocols[protocol]
            probe = load(PROTOCOLS, chosen.probe)(**card.arguments({**chosen.all_arguments(), **sizes}))
            classes = card.classes_of(probe.labels)
            sources = {
                split: StoreSource(paths.decoded(scale, on), table, probe.table, classes, *objects)
                for split, table in rows.items()
            }
            if refused is None:
                with process.enough_memory(
                    f"{paths.PARAMETERS}: scales.{scale}.protocols.{protocol}: the memory of this machine's {device} "
                    "is too small for it; make its numbers smaller"
                ):
                    if reads_features:
                        found = read_features(kept, paths.SPLITS, receipts.hashes({"weights": weights, **indices}))
                        splits = {name: labelled(found[name], one, probe.labels[0]) for name, one in sources.items()}
                        results = probe.evaluate(**splits, seed=seed)
                    else:
                        method = read_method(weights, heads) if probe.asks else None
                        networks = Pretrained(method.encoders() if method else read_encoders(weights), method)
                        results = probe.evaluate(networks, **sources, device=device, seed=seed)
        except ValueError as error:
            # Somebody's own folder is as small as it is: its report says what it does not carry.
            if isinstance(error, TooLittleData) and card.kind == "folder":
                refused = str(error)
            else:
                where = f"{paths.PARAMETERS}: protocol {protocol} on {on} at scale {scale}"
                raise UserError(f"{where}: {error}") from error
        predictions = pa.concat_tables([_with_clips(result, rows) for result in results] or [NO_PREDICTIONS])
        pq.write_table(predictions, stage.partial(folder / "predictions.parquet"))
        numbers = {
            "scale": scale,
            "dataset": dataset,
            "run": run,
            "seed": seed,
            "on": on,
            "protocol": protocol,
            "refused": refused,
            "numbers": [_scored(result, rows["test"], parameters.bootstrap) for result in results],
            "overlap": _overlap(read_index(pretrained), rows) if before.trained else dict.fromkeys(rows, 0),
        }
        write_json(stage.partial(folder / "numbers.json"), numbers)
        for split in probe.uses if results else ():
            table = rows[split]
            md5 = receipts.describe(indices[split])["md5"]
            stage.used_clips(ROLES[split], on, split, md5, len(index.usable(table)))
        stage.notes |= {
            "device": device,
            "precision": resolved_precision(sizes.get("precision", "fp32"), device),
            "threads": parameters.at(scale).threads,
        }


def _scored(result: Evaluation, rows: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, Any]:
    """One number with its interval, by bootstrap over clips, and how it was chosen."""
    clips, clusters = np.unique(rows["parent"].iloc[result.predictions["row"]], return_inverse=True)
    values = per_example(result.metric)(result.predictions)
    return {
        "layer": result.choice["layer"],
        "metric": result.metric,
        **asdict(bootstrap_interval(values, clusters, draws=bootstrap.draws, seed=bootstrap.seed)),
        "count": len(clusters),
        "clips": len(clips),
        **result.baselines,
        "choice": result.choice,
        "candidates": result.candidates,
    }


def _with_clips(result: Evaluation, rows: Mapping[str, pd.DataFrame]) -> pa.Table:
    """A number's predictions with the ids of the clips in place of their positions in the index. partner: the id of an
    example's other clip, where it is made of two; retrieved: the ids of what was found for it, best first."""
    predictions, found = result.predictions, result.retrieved
    tested = rows["test"]
    chosen = tested.iloc[predictions["row"]]
    partner = tested["id"].to_numpy()[predictions["partner"]] if "partner" in predictions else None
    count = len(chosen)
    retrieved = (
        pa.array(rows[found.split]["id"].to_numpy()[found.rows].tolist(), IDS) if found else pa.nulls(count, IDS)
    )
    return pa.table(
        {
            "metric": pa.array([result.metric] * count).dictionary_encode(),
            "id": pa.array(chosen["id"], pa.string()),
            "parent": pa.array(chosen["parent"], pa.string()),
            "partner": pa.array(partner, pa.string()) if partner is not None else pa.nulls(count, pa.string()),
            "retrieved": retrieved,
            "label": predictions["label"],
            "prediction": predictions["prediction"],
            "scores": list(predictions["scores"]),
        }
    )


def _overlap(pretrained: pd.DataFrame, rows: dict[str, pd.DataFrame]) -> dict[str, int]:
    """Source files of each split that pretraining has used too, told by their hashes, whatever they are called. A still
    counts as the file that it is cut from."""
    used = set(pretrained["origin"].iloc[index.usable(pretrained)])
    return {split: len(used & set(table["origin"].iloc[index.usable(table)])) for split, table in rows.items()}
