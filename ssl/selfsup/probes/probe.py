"""The contract of an evaluation protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from selfsup.methods.method import Method
from selfsup.networks.encoder import Encoder
from selfsup.probes.features import LabelledFeatures
from selfsup.source import Source


@dataclass(frozen=True)
class Pretrained:
    """What pretraining left. encoders: by the names that the method gives them. method: the whole of it, for a probe
    that `asks` it; otherwise None."""

    encoders: Mapping[str, Encoder]
    method: Method | None

    def encoder_of(self, streams: tuple[str, ...]) -> Encoder:
        """The only one that takes these streams. Raises ValueError if there are none, or several to choose from."""
        found = [encoder for encoder in self.encoders.values() if encoder.streams == streams]
        if len(found) != 1:
            raise ValueError(f"needs one encoder of {' and '.join(streams)}: there are {len(found)}")
        return found[0]


@dataclass(frozen=True)
class Retrieved:
    """What was found for each prediction, best first. split: in which; rows: (N, K) int64, positions in its index."""

    split: str
    rows: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """One number and what it comes from.

    metric: its name, whose first part (up to `_`) says how one example is scored: a key of `metrics.PER_EXAMPLE`.
    predictions: columns of equal length, one entry a prediction, in their order: row (N,) int64, position in the test
    split's index; label and prediction (N,) int64; scores (N, classes) float32, greatest for the prediction; where an
    example is made of two clips, partner (N,) int64, the other's position.
    choice: what was chosen on validation, the layer among it.
    candidates: everything that it was chosen from, with its validation score, in the order tried.
    baselines: what a metric is to be read against, by name: `chance`, and perhaps a `ceiling`; of an error, `trivial`.
    retrieved: of a protocol that looks for what is nearest.
    at_edge: whether a number that was chosen (k, a penalty, a rate) stands at an end of what was tried.
    """

    metric: str
    predictions: dict[str, np.ndarray]
    choice: dict[str, Any]
    candidates: list[dict[str, Any]]
    baselines: dict[str, float]
    retrieved: Retrieved | None = None
    at_edge: bool = False


class ProtocolFacts(Protocol):
    """What every protocol states. Its constructor's keyword arguments are the protocol's in params.yaml; none has a
    default."""

    table: ClassVar[str]
    """The row table that its sources are opened with."""
    streams: ClassVar[tuple[str, ...]]
    """Of the encoder that it takes; a literal, like `table`, `asks` and `moving`."""
    uses: ClassVar[tuple[str, ...]] = ("train", "validation", "test")
    """The splits that it reads: to fit on, to choose on, to score."""
    annotations: ClassVar[tuple[str, ...]] = ()
    """See `Method.annotations`; a literal too."""
    moving: ClassVar[bool] = False
    """Whether it needs several frames of a clip."""
    asks: ClassVar[str]
    """Which question it has for the method itself, one of `Method.answers`; empty if it takes an encoder alone."""
    reads_features: ClassVar[bool] = False
    """Whether it is a `FeatureProbe`; a literal."""
    labels: tuple[str, ...]
    """The labels that its sources are opened with."""


class Probe(ProtocolFacts, Protocol):
    """A protocol that is given the networks and the clips."""

    def evaluate(
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """Fit on train, choose on validation, score the choice on test, once: the protocol's numbers. Leaves what was
        pretrained as it was, but for evaluation mode and device; whatever is drawn follows from the seed."""
        ...


class FeatureProbe(ProtocolFacts, Protocol):
    """A protocol that is given features of an encoder of pictures, computed once for all that read them: its table is
    `clips`, its streams are `("frames",)`, and it predicts one label, `labels`."""

    def evaluate(
        self, *, train: LabelledFeatures, validation: LabelledFeatures, test: LabelledFeatures, seed: int
    ) -> list[Evaluation]:
        """As `Probe.evaluate`. Raises TooLittleData where there is nothing to tell apart."""
        ...
