"""The contract of an evaluation protocol."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from selfsup.networks.encoder import Encoder
from selfsup.source import Source


@dataclass(frozen=True)
class Evaluation:
    """predictions: columns of equal length, one entry a test example: row (N,) int64, position in the test split's
    index; label and prediction (N,) int64; scores (N, classes) float32, which sum to one.
    choice: what was chosen on validation, the layer among it.
    candidates: everything that it was chosen from, with its validation score, in the order tried.
    baselines: what a metric is to be read against, by name: `chance`, 1 / classes.
    """

    predictions: dict[str, np.ndarray]
    choice: dict[str, Any]
    candidates: list[dict[str, Any]]
    baselines: dict[str, float]


class Probe(Protocol):
    """A protocol. Its constructor's keyword arguments are the protocol's in params.yaml; none has a default."""

    table: ClassVar[str]
    """The row table that its sources are opened with."""
    metrics: ClassVar[tuple[str, ...]]
    """What its predictions are scored by: names in `metrics.PER_EXAMPLE`."""
    labels: tuple[str, ...]
    """The labels that its sources are opened with."""

    def evaluate(
        self, encoder: Encoder, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> Evaluation:
        """Fit on train, choose on validation, score the choice on test, once. Reads of each source what
        `encoder.windows` says; whatever is drawn follows from the seed."""
        ...
