"""What the rules ask of params.yaml: which files, which parameters, which reports a job makes stale."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline import layout
from pipeline.errors import UserError
from pipeline.files import digest
from pipeline.parameters import Parameters, keys_of
from pipeline.store.sharding import shard_counts


class Dag:
    """The DAG's lists, for one set of parameters."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.gpu = int(parameters.device == "cuda")

    def used(self, stage: str, scale: str, dataset: str, name: str = "") -> str:
        """The parameters that a job depends on, as one text: a change of any of them is a change of it."""
        try:
            return json.dumps(self.parameters.used(keys_of(stage, scale, dataset, name)), sort_keys=True)
        except KeyError as error:
            key = keys_of(stage, scale, dataset, name)[0]
            raise UserError(f"{layout.PARAMETERS}: {key}: missing (no {error}); add it") from None

    def planned(self, stage: str, scale: str, dataset: str, name: str = "") -> str:
        """By which the job recognises that params.yaml is still as it was when the DAG was made."""
        return digest(json.loads(self.used(stage, scale, dataset, name)))

    def shards(self, scale: str, dataset: str, splits: Iterable[str], suffix: str = ".arrow") -> list[Path]:
        """One file of every shard of the splits, in order."""
        counts = shard_counts(self.parameters, scale, dataset)
        return [
            layout.shard(scale, dataset, split, number).with_suffix(suffix)
            for split in splits
            for number in range(counts.get(split, 0))
        ]

    def evaluations(self, scale: str, dataset: str, name: str) -> list[Path]:
        """One file of every evaluation that the suites ask for."""
        return [
            layout.evaluation(scale, dataset, run, seed, dataset, protocol) / name
            for run, protocol in self.parameters.evaluations()
            for seed in self.parameters.seeds
        ]

    def reports_after(self, jobs: Iterable[Any]) -> set[Path]:
        """Tables and numbers that follow from what any of these Snakemake jobs makes."""
        stale: set[Path] = set()
        for job in jobs:
            scale, dataset = (getattr(job.wildcards, name, None) for name in ("scale", "dataset"))
            if scale is None or dataset is None:
                continue
            folders = [layout.report(scale, dataset)]
            if (scale, dataset) == (self.parameters.scale, self.parameters.dataset):
                folders.append(layout.published_report())
            stale.update(folder / name for folder in folders for name in ("table.md", "metrics.json"))
        return stale
