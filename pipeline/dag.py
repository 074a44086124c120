"""What the rules ask of params.yaml: which files, which parameters, which reports a job makes stale."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline import cards, eligibility, extra_inputs, paths
from pipeline.cards import read_card
from pipeline.errors import UserError, did_you_mean
from pipeline.files import digest
from pipeline.parameters import Parameters, keys_of
from pipeline.store.sharding import shard_counts
from selfsup.methods import METHODS
from selfsup.probes import PROTOCOLS

TARGET = re.compile("(reports|data/raw|data/decoded)/(?P<scale>[^/]+)/(?P<dataset>[^/]+)/.")


class Dag:
    """The DAG's lists, for one set of parameters."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.gpu = int(parameters.device == "cuda")
        self.datasets = list(dict.fromkeys([parameters.dataset, parameters.images]))
        self.folders = cards.folders()
        self._cards: dict[str, cards.Card] = {}

    def card(self, dataset: str) -> cards.Card:
        """Read once: a rule asks at every job."""
        if dataset not in self._cards:
            self._cards[dataset] = read_card(dataset)
        return self._cards[dataset]

    def clips(self, scale: str, dataset: str) -> list[Path]:
        """The folder of the source files that were made, of the clips that a dataset is cut from if it is; none for
        somebody's own, which stay where they are."""
        made = self.parent(dataset) or dataset
        return [] if made in self.folders else [paths.raw(scale, made) / "clips"]

    def parent(self, dataset: str) -> str | None:
        """The dataset whose clips this one is cut from; None for any other."""
        crops = self.card(dataset).crops
        return crops.dataset if crops else None

    def reported(self, dataset: str) -> list[str]:
        """The datasets that a dataset's report is about: itself, and its stills."""
        return list(dict.fromkeys([dataset, *(on for _, _, on, _ in self.parameters.evaluations(dataset))]))

    def indices(self, scale: str, dataset: str) -> list[Path]:
        return [paths.index(scale, dataset, split) for split in self.card(dataset).splits]

    def watched(self, scale: str, dataset: str) -> list[Path]:
        """The index of the clips that pretraining is watched on; none for a dataset without a validation split."""
        return [paths.index(scale, dataset, "validation")] if "validation" in self.card(dataset).splits else []

    def runs(self, scale: str, dataset: str, name: str) -> list[Path]:
        """One file of every run of the suites that the dataset allows."""
        return [
            paths.run(scale, on, run, seed) / name
            for on, run in eligibility.runs(self.parameters, scale, dataset, self.card)
            for seed in self.parameters.seeds
        ]

    def used(self, stage: str, scale: str, dataset: str, name: str = "") -> str:
        """The parameters that a job depends on, as one text: a change of any of them is a change of it."""
        try:
            return json.dumps(self.parameters.used(keys_of(stage, scale, dataset, name)), sort_keys=True)
        except KeyError as error:
            key = keys_of(stage, scale, dataset, name)[0]
            raise UserError(f"{paths.PARAMETERS}: {key}: missing (no {error}); add it") from None

    def planned(self, stage: str, scale: str, dataset: str, name: str = "") -> str:
        """By which the job recognises that params.yaml is still as it was when the DAG was made."""
        return digest(json.loads(self.used(stage, scale, dataset, name)))

    def shards(self, scale: str, dataset: str, split: str, suffix: str = ".arrow") -> list[Path]:
        """One file of every shard of a split, in order."""
        count = shard_counts(self.parameters, scale, dataset).get(split, 0)
        return [paths.shard(scale, dataset, split, number).with_suffix(suffix) for number in range(count)]

    def crops(self) -> list[str]:
        """Datasets that are cut from another one."""
        names = dict.fromkeys(name for scale in self.parameters.scales.values() for name in scale.datasets)
        return [name for name in names if self.parent(name)]

    def data(self, scale: str, datasets: Iterable[str]) -> list[Path]:
        """What can be drawn from: indices, and the tuples of datasets whose pictures move."""
        moving = [name for name in datasets if self.card(name).modality in ("video", "audio-visual")]
        return [path for name in datasets for path in self.indices(scale, name)] + [
            paths.tuples(scale, name, split) for name in moving for split in self.card(name).splits
        ]

    def drawn_by_run(self, scale: str, dataset: str, run: str) -> list[Path]:
        """What a run is trained on besides the store: mined tuples, the folder of annotations."""
        return self._drawn(METHODS[self.parameters.runs[run].method], scale, dataset, ["train"])

    def drawn_by_protocol(self, scale: str, dataset: str, protocol: str) -> list[Path]:
        """The same of a protocol."""
        return self._drawn(PROTOCOLS[self.parameters.protocols[protocol].probe], scale, dataset, paths.SPLITS)

    def seen_by_evaluation(self, scale: str, dataset: str, run: str, seed: int, on: str, protocol: str) -> list[Path]:
        """What a protocol is given beside a run's weights and indices: the features that are kept; or the networks'
        code, and what is drawn besides the store."""
        if self._reads_features(protocol):
            return [paths.features(scale, dataset, run, seed, on)]
        code = paths.fingerprints(scale) / "pretrain" / f"{run}.json"
        return [code, *self.drawn_by_protocol(scale, on, protocol)]

    def features(self, scale: str, dataset: str, name: str) -> list[Path]:
        """One file of all features that protocols of a dataset's report read."""
        found = [
            paths.features(scale, of, run, seed, on).with_name(name)
            for of, run, on, protocol in eligibility.evaluations(self.parameters, scale, dataset, self.card)
            if self._reads_features(protocol)
            for seed in self.parameters.seeds
        ]
        return list(dict.fromkeys(found))

    def _reads_features(self, protocol: str) -> bool:
        return extra_inputs.reads_features(PROTOCOLS[self.parameters.protocols[protocol].probe])

    def _drawn(self, entry: str, scale: str, dataset: str, splits: Iterable[str]) -> list[Path]:
        annotations = [path.parent for path in extra_inputs.objects(entry, scale, self.card(dataset))]
        return extra_inputs.tuples(entry, scale, dataset, splits) + annotations

    def evaluations(self, scale: str, dataset: str, name: str) -> list[Path]:
        """One file of every evaluation that the suites ask for and the dataset allows."""
        return [
            paths.evaluation(scale, of, run, seed, on, protocol) / name
            for of, run, on, protocol in eligibility.evaluations(self.parameters, scale, dataset, self.card)
            for seed in self.parameters.seeds
        ]

    def check_targets(self, words: Iterable[str]) -> None:
        """words: of a command line. Raises UserError for a target of a scale or dataset that is not there, and for a
        report that none makes: Snakemake would say it in a trace of its own."""
        before = ""
        for word in words:
            of_option, before = before.startswith("--report"), word
            folder, dataset, beside = paths.published_report(), self.parameters.dataset, True
            if found := TARGET.match(word):
                scale, dataset, beside = found["scale"], found["dataset"], False
                if scale not in self.parameters.scales:
                    raise UserError(f"{word}: there is no scale {scale!r}{did_you_mean(scale, self.parameters.scales)}")
                self.card(dataset)
                shard_counts(self.parameters, scale, dataset)
                folder = paths.report(scale, dataset)
            if not word.startswith("reports/") or of_option or Path(word).exists():
                continue
            made = [folder / name for name in (*paths.report_files(dataset), "receipt.json")]
            if beside:
                pages = [paths.shortcuts(), paths.reel(dataset)]
                made += [*pages, paths.shortcuts().with_suffix(".json"), *map(paths.receipt_beside, pages)]
            if word not in (known := [path.as_posix() for path in made]):
                raise UserError(f"{word}: nothing makes this file{did_you_mean(word, known)}")

    def reports_after(self, jobs: Iterable[Any]) -> set[Path]:
        """Tables and numbers that follow from what any of these Snakemake jobs makes; shortcuts, where remade."""
        stale: set[Path] = set()
        for job in jobs:
            if job.rule.name == "shortcuts":
                stale.update({paths.shortcuts(), paths.shortcuts().with_suffix(".json")})
            scale, dataset = (getattr(job.wildcards, name, None) for name in ("scale", "dataset"))
            if scale is None or dataset is None:
                continue
            folders = [paths.report(scale, dataset)]
            if dataset in self.datasets:
                folders.append(paths.report(scale, self.parameters.dataset))
            if scale == self.parameters.scale and dataset in self.datasets:
                folders.append(paths.published_report())
            stale.update(folder / name for folder in folders for name in ("table.md", "metrics.json", "budgets.md"))
        return stale
