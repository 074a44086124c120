"""evaluate: one run under its protocols, from frozen weights to per-example predictions and from those to numbers."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import cards, extra_inputs, paths, process
from pipeline.cards import Card
from pipeline.errors import UserError, did_you_mean
from pipeline.files import write_json
from pipeline.lineage import fingerprints, receipts
from pipeline.parameters import Parameters, keys_of
from pipeline.parameters.models import Bootstrap
from pipeline.run_files.weights import Outcome, outcome, read_encoders, read_method
from pipeline.store import index
from pipeline.store.source import StoreSource
from selfsup.class_path import load
from selfsup.probes.features import Features, frames_of, labelled, pooled_features
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.source import TooLittleData
from selfsup.statistics.intervals import bootstrap_interval
from selfsup.statistics.metrics import per_example
from selfsup.training import built_arguments, resolved_precision

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
OF_FEATURES = ("frames",)
"""Streams of the encoder whose features are computed once for all protocols that read them."""


def evaluate(
    parameters: Parameters, scale: str, dataset: str, run: str, seed: int, on: str, protocols: Sequence[str]
) -> None:
    """Writes for each protocol `predictions.parquet` (one row a test example), `numbers.json` and a receipt; of a
    user's own files that are too few for the run or the protocol, without any number, and why. Protocols whose outputs
    follow from the same inputs, code and parameters already are left as they are."""
    if run not in parameters.runs:
        raise UserError(f"{paths.PARAMETERS}: no run {run!r}{did_you_mean(run, parameters.runs)}")
    for name in protocols:
        if name not in parameters.protocols:
            raise UserError(f"{paths.PARAMETERS}: no protocol {name!r}{did_you_mean(name, parameters.protocols)}")
    receipts.check_planned({one: parameters.used(keys_of(parameters, "evaluate", scale, on, one)) for one in protocols})
    os.environ.pop(receipts.PLANNED, None)  # of this job, not of each of its receipts
    tested = TestedRun(parameters, scale, dataset, run, seed, on)
    for protocol in protocols:
        tested.evaluate(protocol)


class TestedRun:
    """A run of one seed, and the dataset that it is evaluated on: what several protocols share is read once."""

    def __init__(self, parameters: Parameters, scale: str, dataset: str, run: str, seed: int, on: str) -> None:
        self.parameters, self.scale, self.run, self.on = parameters, scale, run, on
        self.identity = {"scale": scale, "dataset": dataset, "run": run, "seed": seed, "on": on}
        self.dataset, self.seed = dataset, seed
        self.folder = paths.run(scale, dataset, run, seed)
        self.weights, self.heads = self.folder / "model.safetensors", self.folder / "heads.safetensors"
        self.indices = {split: paths.index(scale, on, split) for split in paths.SPLITS}
        self.trained_on = [paths.index(scale, name, "train") for name in parameters.trained_on(run, dataset)]
        self.device = process.device(parameters.device)

    @cached_property
    def card(self) -> Card:
        return cards.read_card(self.on)

    @cached_property
    def rows(self) -> dict[str, pd.DataFrame]:
        return {split: index.read_index(path) for split, path in self.indices.items()}

    @cached_property
    def outcome(self) -> Outcome:
        return outcome(self.heads)

    @cached_property
    def features(self) -> dict[str, Features]:
        """By split, what the frozen encoder of pictures makes of it; no label is read."""
        sizes = self.parameters.at(self.scale).features
        frames = {"train": sizes.train_frames, "validation": sizes.test_frames, "test": sizes.test_frames}
        encoder = Pretrained(read_encoders(self.weights), None).encoder_of(OF_FEATURES)
        made = {}
        for split, table in self.rows.items():
            source = StoreSource(paths.decoded(self.scale, self.on), table, "clips", {})
            times = frames_of(source, frames[split])
            made[split] = pooled_features(encoder, source, times_per_clip=times, dims=sizes.dims, device=self.device)
        return made

    def inputs(self, protocol: str) -> list[Path]:
        """Everything that a protocol's numbers follow from, but for parameters."""
        draws = extra_inputs.drawing(self.parameters.probe(protocol), self.parameters.entry(self.run))
        shards = sorted({f"{shard}.arrow" for table in self.rows.values() for shard in table["shard"].unique()})
        return [
            self.weights,
            self.heads,
            *dict.fromkeys([*self.trained_on, *self.indices.values()]),
            *(paths.decoded(self.scale, self.on) / shard for shard in shards),
            *extra_inputs.tuples(draws, self.scale, self.on, paths.SPLITS),
            *extra_inputs.objects(draws, self.scale, self.card),
            paths.card(self.on),
            fingerprints.check("pretrain", self.parameters, self.scale, self.run),
            fingerprints.check("evaluate", self.parameters, self.scale, protocol),
        ]

    def evaluate(self, protocol: str) -> None:
        """One protocol, unless what is there follows from the same."""
        folder = paths.evaluation(self.scale, self.dataset, self.run, self.seed, self.on, protocol)
        predictions, numbers = folder / "predictions.parquet", folder / "numbers.json"
        inputs = self.inputs(protocol)
        used = self.parameters.used(keys_of(self.parameters, "evaluate", self.scale, self.on, protocol))
        identity = {**self.identity, "protocol": protocol}
        if receipts.kept_current(folder / "receipt.json", inputs, [predictions, numbers], used, identity):
            return
        with receipts.open_receipt(
            "evaluate",
            receipt=folder / "receipt.json",
            inputs=inputs,
            outputs=[predictions, numbers],
            parameters=used,
            identity=identity,
        ) as stage:
            results, refused, uses = self._results(protocol)
            table = pa.concat_tables([_with_clips(result, self.rows) for result in results] or [NO_PREDICTIONS])
            pq.write_table(table, stage.partial(predictions))
            bootstrap, trained = self.parameters.bootstrap, self.outcome.trained
            scored = [_scored(result, self.rows["test"], bootstrap) for result in results]
            seen = [index.read_index(path) for path in self.trained_on]
            overlap = _overlap(seen, self.rows) if trained else dict.fromkeys(self.rows, 0)
            write_json(stage.partial(numbers), {**identity, "refused": refused, "numbers": scored, "overlap": overlap})
            for split in uses if results else ():
                md5 = receipts.describe(self.indices[split])["md5"]
                stage.used_clips(ROLES[split], self.on, split, md5, len(index.usable(self.rows[split])))
            sizes = self.parameters.at(self.scale)
            precision = sizes.protocols[protocol].get("precision", "fp32")
            stage.notes |= {
                "device": self.device,
                "precision": resolved_precision(precision, self.device),
                "threads": sizes.threads,
            }

    def _results(self, protocol: str) -> tuple[list[Evaluation], str | None, Sequence[str]]:
        """The numbers, why there are none, and the splits that were read."""
        chosen, sizes = self.parameters.protocols[protocol], self.parameters.at(self.scale).protocols[protocol]
        entry = self.parameters.probe(protocol)
        probe_class = load(entry)
        probe = probe_class(**built_arguments(probe_class, self.card.arguments({**chosen.all_arguments(), **sizes})))
        too_small = (
            f"{paths.PARAMETERS}: scales.{self.scale}.protocols.{protocol}: the memory of this machine's "
            f"{self.device} is too small for it; make its numbers smaller"
        )
        refused, results = self.outcome.refused, []
        try:
            if refused is None:
                with process.enough_memory(too_small):
                    results = self._evaluated(probe, entry)
        except ValueError as error:
            # Somebody's own folder is as small as it is: its report says what it does not carry.
            if not (isinstance(error, TooLittleData) and self.card.kind == "folder"):
                where = f"{paths.PARAMETERS}: protocol {protocol} of run {self.run} on {self.on} at scale {self.scale}"
                raise UserError(f"{where}: {error}") from error
            refused = str(error)
        return results, refused, probe.uses

    def _evaluated(self, probe: Any, entry: str) -> list[Evaluation]:
        draws = extra_inputs.drawing(entry, self.parameters.entry(self.run))
        method = read_method(self.weights, self.heads) if probe.asks else None
        table = load(draws).table
        classes = self.card.classes_of(probe.labels)
        objects = extra_inputs.objects(draws, self.scale, self.card)
        sources = {
            split: StoreSource(paths.decoded(self.scale, self.on), rows, table, classes, *objects)
            for split, rows in self.rows.items()
        }
        if extra_inputs.reads_features(entry):
            splits = {name: labelled(self.features[name], one, probe.labels[0]) for name, one in sources.items()}
            return list(probe.evaluate(**splits, seed=self.seed))
        networks = Pretrained(method.encoders() if method else read_encoders(self.weights), method)
        return list(probe.evaluate(networks, **sources, device=self.device, seed=self.seed))


def _scored(result: Evaluation, rows: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, Any]:
    """One number with its interval, by bootstrap over clips, and how it was chosen."""
    clips, clusters = np.unique(rows["parent"].iloc[result.predictions["row"]], return_inverse=True)
    values = per_example(result.metric)(result.predictions)
    interval = bootstrap_interval(values, clusters, draws=bootstrap.draws, seed=bootstrap.seed)
    return {
        "layer": result.choice["layer"],
        "metric": result.metric,
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "count": len(clusters),
        "clips": len(clips),
        **result.baselines,
        "at_edge": result.at_edge,
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


def _overlap(pretrained: Sequence[pd.DataFrame], rows: dict[str, pd.DataFrame]) -> dict[str, int]:
    """Source files of each split that pretraining has used too, told by their hashes, whatever they are called. A still
    counts as the file that it is cut from."""
    used = {origin for table in pretrained for origin in table["origin"].iloc[index.usable(table)]}
    return {split: len(used & set(table["origin"].iloc[index.usable(table)])) for split, table in rows.items()}
