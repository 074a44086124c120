"""params.yaml, read once, validated as a whole, frozen, handed down."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline import cards, layout
from pipeline.datasets import CROPS, DATASETS
from pipeline.errors import UserError, did_you_mean
from pipeline.signatures import check_arguments, class_literal, entry_of, keyword_arguments
from pipeline.validation import Strict, load
from selfsup.methods import METHODS
from selfsup.networks import NETWORKS
from selfsup.probes import PROTOCOLS

# Of runs and protocols: parts of file names, of numbers' ids (parted by / and .) and of DVC's stages (by -).
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class Bootstrap(Strict):
    """Of 95 % intervals and paired differences."""

    draws: int = Field(ge=1)
    seed: int = Field(ge=0)


class Suite(Strict):
    """Which runs are evaluated under which protocols."""

    of: Literal["dataset", "images"]
    runs: list[str] = Field(min_length=1)
    protocols: list[str] = Field(min_length=1)


class Run(Strict):
    """What is pretrained, but for dataset, scale, seed and schedule."""

    method: str
    arguments: dict[str, Any]


class Protocol(Strict):
    """A probe and those of its arguments that every scale shares."""

    probe: str
    label: str
    arguments: dict[str, Any]


class Schedule(Strict):
    """How a run is trained; `selfsup.training.Schedule` says what each key does."""

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    optimiser: Literal["sgd", "adamw"]
    learning_rate: float = Field(gt=0)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    warmup_steps: int = Field(ge=0)
    decay: Literal["cosine", "step"]
    decay_at: list[float]
    decay_factor: float = Field(gt=0, le=1)
    precision: Literal["fp32", "bf16"]
    log_every: int = Field(ge=1)

    @field_validator("decay_at")
    @classmethod
    def _fractions(cls, value: list[float]) -> list[float]:
        if any(not 0 < at < 1 for at in value) or value != sorted(value):
            raise ValueError("expected ascending fractions of the run, each between 0 and 1")
        return value

    @model_validator(mode="after")
    def _warms_up_within_the_run(self) -> "Schedule":
        if self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps: expected fewer than the {self.steps} steps, found {self.warmup_steps}")
        return self


class Training(Strict):
    """A run at one scale. networks: the method's encoders by name (`encoder`, for most); of each, `name` is a key of
    NETWORKS and the rest are that network's arguments."""

    networks: dict[str, dict[str, Any]] = Field(min_length=1)
    schedule: Schedule | None = Field(description="null for a run that does not train")


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
    """How the supervised networks of the cue report are trained, by the label that they learn."""

    object: Schedule
    action: Schedule
    sounding: Schedule


class CueReport(Strict):
    """`reports/cues.md`: what gives labels away cheaply, and what can be learned of them."""

    seed: int = Field(ge=0)
    margin: float = Field(gt=0, lt=1, description="above chance, that the bound of a cheap cue may reach")
    ceiling: tuple[float, float] = Field(description="accuracy between which a supervised ceiling should lie")
    folds: int = Field(ge=3, description="of clips, for cross-fitting")
    tuples: int = Field(ge=1, description="of the mined ones of a clip, at most, for order")
    penalties: list[float] = Field(min_length=1, description="L2 of linear classifiers, chosen on unseen clips")
    max_iterations: int = Field(ge=1)
    frames: int = Field(ge=2, description="of a clip, for time direction and for the action networks")
    widths: list[int] = Field(min_length=1, description="of the networks, as in selfsup.networks.convnet")
    side: int = Field(ge=8, description="px that the networks take")
    dims: int = Field(ge=1, description="numbers that a block is pooled to before it is read out linearly")
    few_labels: int = Field(ge=1, description="a class, where sound is compared")
    few_draws: int = Field(ge=1, description="of as many labels")
    ceilings: Ceilings


class Resources(Strict):
    """What a job that computes asks of a cluster."""

    memory_mb: int = Field(ge=100)
    minutes: int = Field(ge=1)


class Scale(Strict):
    """One set of sizes."""

    resources: Resources
    datasets: dict[str, dict[str, Any]]
    store: Store
    mining: Mining
    cues: CueReport
    training: dict[str, Training]
    protocols: dict[str, dict[str, Any]]


class Parameters(Strict):
    """The whole of params.yaml."""

    scale: str
    dataset: str
    images: str = Field(description="the dataset that stands for pictures: `dataset`, or stills that are cut from it")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    device: Literal["auto", "cpu", "cuda"]
    threads: int = Field(ge=1)
    bootstrap: Bootstrap
    reference: str = Field(description="the run that differences are taken to")
    suites: dict[str, Suite]
    runs: dict[Name, Run]
    protocols: dict[Name, Protocol]
    scales: dict[str, Scale]

    def at(self, scale: str) -> Scale:
        """Raises UserError for a scale that is not defined."""
        if scale not in self.scales:
            raise UserError(f"{layout.PARAMETERS}: scale: {scale!r} is not defined{did_you_mean(scale, self.scales)}")
        return self.scales[scale]

    def evaluations(self, dataset: str) -> list[tuple[str, str, str]]:
        """Every (dataset, run, protocol) that the suites ask for in the report of a dataset, once, in their order. A
        suite on images is of the stills of the dataset of params.yaml; any other dataset is its own images."""
        images = self.images if dataset == self.dataset else dataset
        asked = (
            (images if suite.of == "images" else dataset, run, protocol)
            for suite in self.suites.values()
            for run in suite.runs
            for protocol in suite.protocols
        )
        return list(dict.fromkeys(asked))

    def run_names(self) -> list[str]:
        return list(dict.fromkeys(run for suite in self.suites.values() for run in suite.runs))

    def protocol_names(self) -> list[str]:
        """Of the suites."""
        return list(dict.fromkeys(protocol for suite in self.suites.values() for protocol in suite.protocols))

    def value(self, key: str) -> Any:
        """The plain value at a dotted key, as DVC reads it."""
        value: Any = self.model_dump(mode="json")
        for part in key.split("."):
            value = value[part]
        return value

    def used(self, keys: list[str]) -> dict[str, Any]:
        """Dotted keys with their values: what a stage depends on, in both drivers and in its receipt."""
        return {key: self.value(key) for key in keys}


def keys_of(stage: str, scale: str, dataset: str, name: str = "") -> list[str]:
    """The keys of params.yaml that a stage depends on; `name` is its run or protocol. dvc.yaml lists the same."""
    match stage:
        case "fetch":
            return [] if _is_folder(dataset) else [f"scales.{scale}.datasets.{dataset}"]
        case "crop":
            return [f"scales.{scale}.datasets.{dataset}"]
        case "decode":
            sizes = f"scales.{scale}.datasets"
            if _is_folder(dataset):
                shards = []
            elif parent := cards.parent(dataset):
                shards = [f"{sizes}.{dataset}.clips_per_shard", f"{sizes}.{parent}.clips"]
            else:
                shards = [f"{sizes}.{dataset}.clips"]
            return [f"scales.{scale}.store", *shards]
        case "mine":
            return [f"scales.{scale}.mining"]
        case "pretrain":
            return [f"runs.{name}", f"scales.{scale}.training.{name}", "device", "threads"]
        case "evaluate":
            return [f"protocols.{name}", f"scales.{scale}.protocols.{name}", "bootstrap", "device", "threads"]
        case "cues":
            return [f"scales.{scale}.cues", "images", "bootstrap", "device", "threads", "scale", "dataset"]
        case "report":
            return ["suites", "images", "seeds", "bootstrap", "reference"]
        case "publish" | "reel":
            return ["scale", "dataset"]
    raise ValueError(stage)


def _is_folder(dataset: str) -> bool:
    """Whether it is somebody's own files, which no parameter changes."""
    return layout.card(dataset).exists() and cards.read(dataset).kind == "folder"


def read(path: Path = layout.PARAMETERS) -> Parameters:
    """Raises UserError, naming the key, for whatever cannot work."""
    parameters = load(Parameters, path)
    _check_names(parameters, str(path))
    return parameters


def _check_names(parameters: Parameters, file: str) -> None:
    """Every name refers to something, and every argument is one that its class takes."""
    card = cards.read(parameters.dataset)
    if parameters.dataset not in (parameters.images, cards.parent(parameters.images)):
        raise UserError(
            f"{file}: images: expected {parameters.dataset} or stills that are cut from it, found {parameters.images!r}"
        )
    scale_names = list(parameters.scales)
    if parameters.scale not in scale_names:
        raise UserError(f"{file}: scale: unknown {parameters.scale!r}{did_you_mean(parameters.scale, scale_names)}")
    if len(set(parameters.seeds)) != len(parameters.seeds):
        raise UserError(f"{file}: seeds: expected different numbers, found {parameters.seeds}")
    _all_in([parameters.reference], parameters.runs, f"{file}: reference")
    for name, suite in parameters.suites.items():
        _all_in(suite.runs, parameters.runs, f"{file}: suites.{name}.runs")
        _all_in(suite.protocols, parameters.protocols, f"{file}: suites.{name}.protocols")
    for name, run in parameters.runs.items():
        entry = entry_of(METHODS, run.method, f"{file}: runs.{name}.method")
        check_arguments(entry, run.arguments, f"{file}: runs.{name}.arguments")
    for name, protocol in parameters.protocols.items():
        entry_of(PROTOCOLS, protocol.probe, f"{file}: protocols.{name}.probe")
        known = {cards.MAIN: None, **card.labels}
        _all_in([protocol.label], known, f"{file}: protocols.{name}.label (dataset {card.name})")
    for scale_name in scale_names:
        _check_scale(parameters, scale_name, f"{file}: scales.{scale_name}")


def _check_scale(parameters: Parameters, scale_name: str, key: str) -> None:
    scale = parameters.scales[scale_name]
    for name in (parameters.dataset, parameters.images):
        if name not in scale.datasets and not _is_folder(name):
            raise UserError(f"{key}.datasets.{name}: missing: add the dataset's sizes")
    for name, settings in scale.datasets.items():
        if parent := cards.parent(name):
            check_arguments(CROPS, settings, f"{key}.datasets.{name}")
            _all_in([parent], scale.datasets, f"{key}.datasets ({name} is cut from it)")
            continue
        check_arguments(entry_of(DATASETS, name, f"{key}.datasets"), settings, f"{key}.datasets.{name}")
        for split in cards.read(name).splits:
            if settings["clips"].get(split, 0) < 1:
                raise UserError(f"{key}.datasets.{name}.clips.{split}: expected at least 1, found none")
    for name in parameters.run_names():
        if name not in scale.training:
            raise UserError(f"{key}.training.{name}: missing; suites ask for run {name!r}: add networks and schedule")
    _all_in(list(scale.training), parameters.runs, f"{key}.training")
    for name, training in scale.training.items():
        _check_training(METHODS[parameters.runs[name].method], training, scale.store, f"{key}.training.{name}")
    _all_in(list(scale.protocols), parameters.protocols, f"{key}.protocols")
    for name, protocol in parameters.protocols.items():
        if name not in scale.protocols:
            raise UserError(f"{key}.protocols.{name}: missing: add the protocol's sizes at this scale")
        twice = {"label", *protocol.arguments} & scale.protocols[name].keys()
        if twice:
            raise UserError(f"{key}.protocols.{name}.{min(twice)}: stands under protocols.{name} too; remove one")
        given = {"label": protocol.label, **protocol.arguments, **scale.protocols[name]}
        check_arguments(PROTOCOLS[protocol.probe], given, f"{key}.protocols.{name}")


def _check_training(method: str, training: Training, store: Store, key: str) -> None:
    """method: its registry entry."""
    encoders = {name for name, one in keyword_arguments(method).items() if one.annotation == "Encoder"}
    if encoders != training.networks.keys():
        raise UserError(f"{key}.networks: expected {', '.join(sorted(encoders))}, found {', '.join(training.networks)}")
    for encoder, network in training.networks.items():
        here = f"{key}.networks.{encoder}"
        entry = entry_of(NETWORKS, str(network.get("name", "")), f"{here}.name")
        check_arguments(entry, {name: value for name, value in network.items() if name != "name"}, here)
    trains = class_literal(method, "trains", True)
    if trains != (training.schedule is not None):
        expected = "a schedule, since its method trains" if trains else "null, since its method does not train"
        raise UserError(f"{key}.schedule: expected {expected}")
    for stream in class_literal(method, "streams", ()):
        if stream not in store.streams:
            raise UserError(f"{key}: its method draws {stream}, which is not in this scale's store.streams")


def _all_in(names: list[str], known: Mapping[str, Any], key: str) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{key}: unknown {name!r}{did_you_mean(name, known)}")
