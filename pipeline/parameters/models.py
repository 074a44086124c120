"""What stands in params.yaml: a frozen model of every part of it, with the range of each value."""

import re
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from pipeline import paths
from pipeline.errors import UserError, did_you_mean
from pipeline.parameters.training import KeptOptimisation, RunSchedule, Schedule, Training
from pipeline.validation import Strict

# Of runs and protocols: parts of file names, of numbers' ids (parted by / and .) and of DVC's stages (by -).
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
CLASS_PATH = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*:[A-Z][A-Za-z0-9_]*")
ClassPath = Annotated[str, Field(pattern=f"^{CLASS_PATH.pattern}$")]
"""`module:Class` below a package."""
OLD_KEYS = ("pretrained", "suites", "images")


PART_OF_FOLDER = {"image": "images", "video": "video", "audiovisual": "sound"}


class Asked(NamedTuple):
    """An evaluation: the dataset that a run was trained on, the run, the dataset that it is evaluated on, how."""

    of: str
    run: str
    on: str
    protocol: str


def class_paths(value: Any) -> list[str]:
    """Of arguments: the classes that they name by their paths, as a method that is made of others does."""
    match value:
        case str():
            return [value] if CLASS_PATH.fullmatch(value) else []
        case dict():
            return [path for pair in value.items() for part in pair for path in class_paths(part)]
        case list() | tuple():
            return [path for part in value for path in class_paths(part)]
    return []


class Bootstrap(Strict):
    """Of 95 % intervals and paired differences."""

    draws: int = Field(ge=1)
    seed: int = Field(ge=0)


class Train(Strict):
    """How a run is pretrained; a change of any of it retrains this run alone."""

    method: ClassPath = Field(description="below `selfsup.methods`")
    on: str = Field(description="the dataset, which one of the user's own replaces")
    networks: str = Field(description="a set of `scales.SCALE.networks`")
    schedule: str = Field(description="one of `scales.SCALE.schedules`")
    init_from: dict[Name, Name] = Field(default_factory=dict, description="role: the run whose weights it begins with")
    steps: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict, description="by scale")
    batch_size: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict, description="by scale")
    learning_rate: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="by scale, where it is not the schedule's"
    )
    arguments: dict[str, Any] = Field(default_factory=dict)
    arguments_at: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="by scale: arguments that are others there"
    )


class Run(Strict):
    """One block a run."""

    train: Train
    evaluate: dict[Name, Name] = Field(
        default_factory=dict, description="protocol: the run that it is compared with; itself for a reference"
    )


class Protocol(Strict):
    """A probe, and those of its arguments that every scale shares; no label for one that looks at none."""

    probe: ClassPath = Field(description="below `selfsup.probes`")
    on: str = Field(description="the dataset that it evaluates on, which one of the user's own replaces")
    label: str | None
    arguments: dict[str, Any] = Field(default_factory=dict)

    def all_arguments(self) -> dict[str, Any]:
        """The label among them."""
        return self.arguments if self.label is None else {"label": self.label, **self.arguments}


class Watch(Strict):
    """What pretraining is watched by: `selfsup.probes.watch` says what is measured."""

    clips: int = Field(ge=2, description="of the validation split, at most")
    bank: int = Field(ge=1, description="clips of the training split, at most, among which neighbours are sought")
    neighbours: int = Field(ge=1)
    temperature: float = Field(gt=0)


class Store(Strict):
    """What decoding keeps."""

    side: int = Field(ge=8, description="px; the shorter side is resized to it and the middle square kept")
    window_seconds: float = Field(gt=0, description="a longer source becomes several rows")
    streams: list[Literal["frames", "sound", "spectrogram", "flow", "motion"]] = Field(min_length=1)
    sample_rate: int = Field(ge=8000, le=51200, multiple_of=200, description="Hz, mono; a spectrogram has 200 a second")
    clips_per_shard: int = Field(ge=1)
    jpeg_quality: int | None = Field(ge=1, le=100, description="of a film's frames; null: they are kept as they are")
    max_pixels: int = Field(ge=10_000, description="of a picture: a file with a larger one is left out")
    file_seconds: float = Field(gt=0, description="that a decoder may be silent, before it and its file are given up")
    file_memory_mb: int = Field(ge=200, description="that a decoder may need, likewise")

    @field_validator("streams")
    @classmethod
    def _once_each(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError(f"expected each stream once, found {value}")
        return value


class Mining(Strict):
    """Which tuples are mined; `pipeline.mining.tuples` says what the paper has."""

    seed: int = Field(ge=0)
    strategies: list[Literal["motion", "uniform"]] = Field(
        min_length=1, description="motion: windows by their motion, as in the paper; uniform: its twin without"
    )
    per_clip: int = Field(ge=1, description="tuples of a clip and strategy, at most")
    tau_max: float = Field(gt=0, le=1, description="from b to d at most: a share of the clip's length")
    tau_min: float = Field(ge=0, lt=0.5, description="from a to b, and from d to e, at least: likewise")
    motion: float = Field(ge=0, description="mean from b to d at least: of the picture's side a second")
    ssd: float = Field(ge=0, le=3, description="of c to a and of c to e at least: see pipeline.mining.tuples.ssd")

    @field_validator("strategies")
    @classmethod
    def _once_each(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError(f"expected each strategy once, found {value}")
        return value


class Ceilings(Strict):
    """How the supervised networks of the shortcut report are trained, by the label that they learn."""

    object: Schedule
    action: Schedule
    sounding: Schedule


class ShortcutSettings(Strict):
    """`reports/shortcuts.md`: what gives labels away cheaply, and what can be learned of them."""

    seed: int = Field(ge=0)
    margin: float = Field(gt=0, lt=1, description="above chance, that the bound of a cheap cue may reach")
    ceiling: tuple[float, float] = Field(description="accuracy between which a supervised ceiling should lie")
    folds: int = Field(ge=3, description="of clips, for cross-fitting")
    tuples: int = Field(ge=1, description="of the mined ones of a clip, at most, for order")
    penalties: list[float] = Field(min_length=1, description="L2 of linear classifiers, chosen on unseen clips")
    max_iterations: int = Field(ge=1)
    frames: int = Field(ge=2, description="of a clip, for time direction and for the action networks")
    widths: list[int] = Field(min_length=1, description="of the networks, as in selfsup.networks.convnet")
    side: int = Field(ge=8, description="px of the stills that the networks take")
    clip_side: int = Field(ge=8, description="px of the clips' pictures that they take")
    dims: int = Field(ge=1, description="numbers that a block is pooled to before it is read out linearly")
    few_labels: int = Field(ge=1, description="a class, where sound is compared")
    few_draws: int = Field(ge=1, description="of as many labels")
    ceilings: Ceilings


class FeatureSizes(Strict):
    """What is kept of a frozen encoder's features, for the protocols that read them."""

    dims: int = Field(ge=1, le=1_000_000, description="the most numbers a block is pooled to; papers have about 9,000")
    train_frames: int = Field(ge=1, le=10_000, description="of each training clip: examples of their own, or averaged")
    test_frames: int = Field(
        ge=1, le=10_000, description="of each validation and test clip: scores, or they, are averaged"
    )


class Resources(Strict):
    """What a job that computes asks of a cluster."""

    memory_mb: int = Field(ge=100)
    minutes: int = Field(ge=1)


class Scale(Strict):
    """One set of sizes."""

    threads: int = Field(ge=1)
    resources: Resources
    datasets: dict[str, dict[str, Any]]
    store: Store
    mining: Mining
    shortcuts: ShortcutSettings
    networks: dict[Name, dict[str, dict[str, Any]]]
    schedules: dict[Name, KeptOptimisation | None]
    features: FeatureSizes
    protocols: dict[str, dict[str, Any]]


class Parameters(Strict):
    """The whole of params.yaml."""

    scale: str
    dataset: str = Field(description="whose report `reports/` holds; one that no run names takes every run's place")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    device: Literal["auto", "cpu", "cuda"]
    jobs_per_gpu: int = Field(ge=1, description="that share a GPU of this machine; a cluster gives each its own")
    bootstrap: Bootstrap
    watch: Watch
    runs: dict[Name, Run]
    protocols: dict[Name, Protocol]
    scales: dict[str, Scale]

    @model_validator(mode="before")
    @classmethod
    def _is_of_this_form(cls, data: Any) -> Any:
        if isinstance(data, dict) and (old := [key for key in OLD_KEYS if key in data]):
            raise ValueError(
                f"{old[0]}: a key of an older form; each run is now one block, runs.NAME: {{train, evaluate}} "
                "(docs/architecture.md, Run)"
            )
        return data

    def at(self, scale: str) -> Scale:
        """Raises UserError for a scale that is not defined."""
        if scale not in self.scales:
            raise UserError(f"{paths.PARAMETERS}: scale: {scale!r} is not defined{did_you_mean(scale, self.scales)}")
        return self.scales[scale]

    def entry(self, run: str) -> str:
        """The method of a run, as `module:Class`."""
        return f"selfsup.methods.{self.runs[run].train.method}"

    def probe(self, protocol: str) -> str:
        """The probe of a protocol, likewise."""
        return f"selfsup.probes.{self.protocols[protocol].probe}"

    def arguments(self, scale: str, run: str) -> dict[str, Any]:
        """Of a run's method at a scale."""
        train = self.runs[run].train
        return {**train.arguments, **train.arguments_at.get(scale, {})}

    def training(self, scale: str, run: str) -> Training:
        """A run's networks and schedule at a scale, its own steps, batch size and rate in it."""
        train, sizes = self.runs[run].train, self.at(scale)
        named = sizes.schedules[train.schedule]
        if named is None:
            return Training(networks=sizes.networks[train.networks], schedule=None)
        own: dict[str, float] = {"steps": train.steps[scale], "batch_size": train.batch_size[scale]}
        own |= {"learning_rate": train.learning_rate[scale]} if scale in train.learning_rate else {}
        return Training(networks=sizes.networks[train.networks], schedule=RunSchedule(**{**named.model_dump(), **own}))

    @cached_property
    def datasets(self) -> list[str]:
        """Those that runs are trained on and protocols evaluate on, once each."""
        named = [run.train.on for run in self.runs.values()] + [one.on for one in self.protocols.values()]
        return list(dict.fromkeys(named))

    def placed(self, on: str, dataset: str) -> str:
        """What stands for `on` in the report of a dataset: itself, unless that is one that no run names, such as a
        folder of the user's own, which then stands for all."""
        return on if dataset in self.datasets else dataset

    def runs_of(self, dataset: str) -> list[tuple[str, str]]:
        """Every (dataset, run) that the report of a dataset asks for."""
        return [(self.placed(run.train.on, dataset), name) for name, run in self.runs.items()]

    def evaluations(self, dataset: str) -> list[Asked]:
        """Every evaluation that the report of a dataset asks for, once, in the order of the runs."""
        found = []
        for name, run in self.runs.items():
            of = self.placed(run.train.on, dataset)
            for protocol in run.evaluate:
                found.append(Asked(of, name, self.placed(self.protocols[protocol].on, dataset), protocol))
        return found

    def references(self, dataset: str) -> dict[tuple[str, str, str], str]:
        """By run, dataset evaluated on and protocol: the run to which differences are taken."""
        return {
            (one.run, one.on, one.protocol): self.runs[one.run].evaluate[one.protocol]
            for one in self.evaluations(dataset)
        }

    def chain_of(self, run: str) -> list[str]:
        """A run, and those that it begins with, over however many others: each once, nearest first."""
        found, waiting = {run: None}, [run]
        while waiting:
            for source in self.runs[waiting.pop(0)].train.init_from.values():
                if source not in found:
                    found[source] = None
                    waiting.append(source)
        return list(found)

    def sources(self, run: str, dataset: str) -> dict[str, tuple[str, str]]:
        """By role: the run that a run begins with, and the dataset that it was trained on. That is its own, or
        `dataset`, that of the run, where one of the user's own takes every run's place."""
        replaced = dataset != self.runs[run].train.on
        return {
            role: (source, dataset if replaced else self.runs[source].train.on)
            for role, source in self.runs[run].train.init_from.items()
        }

    def trained_on(self, run: str, dataset: str) -> list[str]:
        """The datasets that the weights of a run, trained on `dataset`, go back to: that one first."""
        replaced = dataset != self.runs[run].train.on
        others = [dataset if replaced else self.runs[source].train.on for source in self.chain_of(run)[1:]]
        return list(dict.fromkeys([dataset, *others]))

    def parts_of(self, run: str) -> set[str]:
        """The parts of the lecture that a run belongs to: by its method's folder; a run that is only a reference
        belongs where those do that are compared with it."""
        folder = self.runs[run].train.method.partition(".")[0]
        if folder in PART_OF_FOLDER:
            return {PART_OF_FOLDER[folder]}
        compared = [name for name, other in self.runs.items() if run in other.evaluate.values() and name != run]
        found = {
            PART_OF_FOLDER[of]
            for of in (self.runs[name].train.method.partition(".")[0] for name in compared)
            if of in PART_OF_FOLDER
        }
        return found or set(paths.PARTS)

    @cached_property
    def _plain(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def value(self, key: str) -> Any:
        """The plain value at a dotted key."""
        value: Any = self._plain
        for part in key.split("."):
            value = value[part]
        return value

    def used(self, keys: list[str]) -> dict[str, Any]:
        """Dotted keys with their values: what a stage depends on, in both drivers and in its receipt."""
        return {key: self.value(key) for key in keys}
