"""What the rules ask of params.yaml: which files, which parameters, which reports a job makes stale."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import cards, eligibility, extra_inputs, paths
from pipeline.errors import UserError, did_you_mean
from pipeline.files import digest
from pipeline.parameters import Parameters, keys_of
from pipeline.parameters.models import Asked
from pipeline.store.sharding import shard_counts

TARGET = re.compile("(reports|data/raw|data/decoded)/(?P<scale>[^/]+)/(?P<dataset>[^/]+)/.")
EVALUATION_FILES = ("predictions.parquet", "numbers.json", "receipt.json")


@dataclass(frozen=True)
class EvaluationGroup:
    """Runs that are evaluated under the same protocols on the same dataset: a rule. A run's protocols are one job,
    which imports, reads weights and computes features once."""

    on: str
    protocols: tuple[str, ...]
    runs: tuple[str, ...]

    @property
    def rule(self) -> str:
        """The rule's name."""
        return f"evaluate_{self.on.replace('-', '_')}_{'_'.join(self.protocols)}"


class Dag:
    """The DAG's lists, for one set of parameters."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        own = parameters.dataset not in parameters.datasets
        self.datasets = [parameters.dataset] if own else self._with_parents(parameters.datasets)
        self.folders = cards.folders()
        self._cards: dict[str, cards.Card] = {}

    @staticmethod
    def _with_parents(datasets: Iterable[str]) -> list[str]:
        """What a dataset is cut from comes with it."""
        found = [name for dataset in datasets for name in (cards.parent(dataset), dataset) if name]
        return list(dict.fromkeys(found))

    def card(self, dataset: str) -> cards.Card:
        """Read once: a rule asks at every job."""
        if dataset not in self._cards:
            self._cards[dataset] = cards.read_card(dataset)
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
        """The datasets that a dataset's report is about: itself, and those that its runs are evaluated on."""
        return list(dict.fromkeys([dataset, *(one.on for one in self.parameters.evaluations(dataset))]))

    def indices(self, scale: str, dataset: str) -> list[Path]:
        return [paths.index(scale, dataset, split) for split in self.card(dataset).splits]

    def watched(self, scale: str, dataset: str) -> list[Path]:
        """The index of the clips that pretraining is watched on; none for a dataset without a validation split."""
        return [paths.index(scale, dataset, "validation")] if "validation" in self.card(dataset).splits else []

    def runs(self, scale: str, dataset: str, name: str, part: str = "") -> list[Path]:
        """One file of every run that the dataset allows; of a part of the lecture, if it is named."""
        return [
            paths.run(scale, on, run, seed) / name
            for on, run in eligibility.runs(self.parameters, scale, dataset, self.card)
            if not part or part in self.parameters.parts_of(run)
            for seed in self.parameters.seeds
        ]

    def begun_with(self, scale: str, dataset: str, run: str, seed: int) -> list[Path]:
        """The weights and heads of the runs that a run begins with."""
        return [
            paths.run(scale, of, source, seed) / name
            for source, of in dict.fromkeys(self.parameters.sources(run, dataset).values())
            for name in ("model.safetensors", "heads.safetensors")
        ]

    def trained_on(self, scale: str, dataset: str, run: str) -> list[Path]:
        """Indices of the training clips that a run's weights go back to."""
        return [paths.index(scale, name, "train") for name in self.parameters.trained_on(run, dataset)]

    def used(self, stage: str, scale: str, dataset: str, name: str = "") -> str:
        """The parameters that a job depends on, as one text: a change of any of them is a change of it."""
        keys = keys_of(self.parameters, stage, scale, dataset, name)
        try:
            return json.dumps(self.parameters.used(keys), sort_keys=True)
        except KeyError as error:
            raise UserError(f"{paths.PARAMETERS}: {keys[0]}: missing (no {error}); add it") from None

    def planned(self, stage: str, scale: str, dataset: str, name: str = "") -> str:
        """By which the job recognises that params.yaml is still as it was when the DAG was made."""
        return digest(json.loads(self.used(stage, scale, dataset, name)))

    def planned_all(self, scale: str, on: str, protocols: Iterable[str]) -> str:
        """The same of a job of several protocols."""
        return digest({one: json.loads(self.used("evaluate", scale, on, one)) for one in protocols})

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
        return self._drawn(self.parameters.entry(run), scale, dataset, ["train"])

    def seen_by_evaluation(self, scale: str, on: str, run: str, protocols: Iterable[str]) -> list[Path]:
        """What the protocols of a job draw besides the store: as their probes say, or the method that is asked."""
        found = [
            path
            for protocol in protocols
            for path in self._drawn(
                extra_inputs.drawing(self.parameters.probe(protocol), self.parameters.entry(run)),
                scale,
                on,
                paths.SPLITS,
            )
        ]
        return list(dict.fromkeys(found))

    def _drawn(self, entry: str, scale: str, dataset: str, splits: Iterable[str]) -> list[Path]:
        annotations = [path.parent for path in extra_inputs.objects(entry, scale, self.card(dataset))]
        return extra_inputs.tuples(entry, scale, dataset, splits) + annotations

    def evaluations(self, scale: str, dataset: str, name: str, part: str = "") -> list[Path]:
        """One file of every evaluation that runs ask for and the dataset allows; of a part, if it is named."""
        return [
            paths.evaluation(scale, one.of, one.run, seed, one.on, one.protocol) / name
            for one in self.asked(scale, dataset, part)
            for seed in self.parameters.seeds
        ]

    def asked(self, scale: str, dataset: str, part: str = "") -> list[Asked]:
        """Every evaluation of a dataset's report that is possible; of a part of the lecture, if it is named."""
        possible = eligibility.evaluations(self.parameters, scale, dataset, self.card)
        return [one for one in possible if not part or part in self.parameters.parts_of(one.run)]

    def evaluation_groups(self) -> list[EvaluationGroup]:
        """A rule each, for the report of params.yaml and of every folder of the user's own."""
        protocols: dict[tuple[str, str], list[str]] = {}
        for dataset in dict.fromkeys([*self.datasets, self.parameters.dataset, *self.folders]):
            for one in self.asked(self.parameters.scale, dataset):
                found = protocols.setdefault((one.on, one.run), [])
                if one.protocol not in found:
                    found.append(one.protocol)
        groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for (on, run), names in protocols.items():
            groups.setdefault((on, tuple(names)), []).append(run)
        return [EvaluationGroup(on, names, tuple(runs)) for (on, names), runs in groups.items()]

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
            made += [folder / f"{part}{end}" for part in paths.PARTS for end in (".md", ".receipt.json")]
            if beside:
                pages = [paths.shortcuts(), paths.reel(dataset)]
                made += [*pages, paths.shortcuts().with_suffix(".json"), *map(paths.receipt_beside, pages)]
            if word not in (known := [path.as_posix() for path in made]):
                raise UserError(f"{word}: nothing makes this file{did_you_mean(word, known)}")

    def reports_after(self, jobs: Iterable[Any]) -> set[Path]:
        """Tables and numbers that follow from what any of these Snakemake jobs makes."""
        stale: set[Path] = set()
        for job in jobs:
            if job.rule.name == "shortcuts":
                stale.update({paths.shortcuts(), paths.shortcuts().with_suffix(".json")})
            scale, dataset = (getattr(job.wildcards, name, None) for name in ("scale", "dataset"))
            if scale is None or dataset is None or job.rule.name == "part":
                continue
            folders = [paths.report(scale, dataset)]
            if dataset in self.datasets:
                folders.append(paths.report(scale, self.parameters.dataset))
            if scale == self.parameters.scale and dataset in self.datasets:
                folders.append(paths.published_report())
            names = ("table.md", "metrics.json", "budgets.md", *(f"{part}.md" for part in paths.PARTS))
            stale.update(folder / name for folder in folders for name in names)
        return stale
