"""What stands in params.yaml: a frozen model of every part of it, with the range of each value."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline import paths
from pipeline.errors import UserError, did_you_mean
from pipeline.parameters.training import Schedule, Training
from pipeline.validation import Strict

# Of runs and protocols: parts of file names, of numbers' ids (parted by / and .) and of DVC's stages (by -).
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class Bootstrap(Strict):
    """Of 95 % intervals and paired differences."""

    draws: int = Field(ge=1)
    seed: int = Field(ge=0)


class Pretrained(Strict):
    """Which runs are pretrained: on the stills of `dataset`, or on its clips. DVC's stages of `video` depend on
    the mined tuples too."""

    images: list[str]
    video: list[str]
    audiovisual: list[str]

    @model_validator(mode="after")
    def _once_each(self) -> "Pretrained":
        names = self.runs()
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each run once, found {', '.join(twice)} twice")
        return self

    def runs(self) -> list[str]:
        return [*self.images, *self.video, *self.audiovisual]


class Suite(Strict):
    """Which runs are evaluated under which protocols, of `images` or of `dataset`."""

    of: Literal["dataset", "images"]
    runs: list[str] = Field(min_length=1)
    protocols: list[str] = Field(min_length=1)


class Run(Strict):
    """What is pretrained, but for dataset, scale, seed and schedule."""

    method: str
    arguments: dict[str, Any]


class Protocol(Strict):
    """A probe and those of its arguments that every scale shares; no label for one that looks at none."""

    probe: str
    label: str | None
    arguments: dict[str, Any]

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
    training: dict[str, Training]
    features: FeatureSizes
    protocols: dict[str, dict[str, Any]]


class Parameters(Strict):
    """The whole of params.yaml."""

    scale: str
    dataset: str
    images: str = Field(description="the dataset that stands for pictures: `dataset`, or stills that are cut from it")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    device: Literal["auto", "cpu", "cuda"]
    bootstrap: Bootstrap
    pretrained: Pretrained
    watch: Watch
    suites: dict[str, Suite]
    runs: dict[Name, Run]
    protocols: dict[Name, Protocol]
    scales: dict[str, Scale]

    def at(self, scale: str) -> Scale:
        """Raises UserError for a scale that is not defined."""
        if scale not in self.scales:
            raise UserError(f"{paths.PARAMETERS}: scale: {scale!r} is not defined{did_you_mean(scale, self.scales)}")
        return self.scales[scale]

    def role(self, role: str, dataset: str) -> str:
        """What stands for `images` or `dataset` in the report of a dataset: any other than that of params.yaml is its
        own images."""
        return self.images if role == "images" and dataset == self.dataset else dataset

    def runs_of(self, dataset: str) -> list[tuple[str, str]]:
        """Every (dataset, run) that the report of a dataset asks for."""
        return [
            (self.role(role, dataset), run)
            for role, runs in (
                ("images", self.pretrained.images),
                ("dataset", [*self.pretrained.video, *self.pretrained.audiovisual]),
            )
            for run in runs
        ]

    def evaluations(self, dataset: str) -> list[tuple[str, str, str, str]]:
        """Every (dataset pretrained on, run, dataset evaluated on, protocol) that the suites ask for in the report of a
        dataset, once, in their order."""
        of = {run: pretrained_on for pretrained_on, run in self.runs_of(dataset)}
        asked = (
            (of[run], run, self.role(suite.of, dataset), protocol)
            for suite in self.suites.values()
            for run in suite.runs
            for protocol in suite.protocols
        )
        return list(dict.fromkeys(asked))

    def references(self, dataset: str) -> dict[tuple[str, str, str], str]:
        """By run, dataset evaluated on and protocol: the first run of its suite, to which differences are taken."""
        found: dict[tuple[str, str, str], str] = {}
        for suite in self.suites.values():
            for run in suite.runs:
                for protocol in suite.protocols:
                    found.setdefault((run, self.role(suite.of, dataset), protocol), suite.runs[0])
        return found

    def run_names(self) -> list[str]:
        """Of those that are pretrained."""
        return self.pretrained.runs()

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
