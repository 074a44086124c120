"""Metrics as one value an example, so that means, intervals and differences come from the same numbers."""

from collections.abc import Callable, Mapping

import numpy as np


def top1(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """label, prediction: (N,) int -> (N,) float64: 1 where they agree, else 0."""
    return np.asarray(label == prediction, dtype=np.float64)


def of_label(label: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """label: (N,) int. scores: (N, classes) -> (N,) float64: the label's own."""
    return np.take_along_axis(scores, label[:, None], axis=1)[:, 0].astype(np.float64)


def per_example(metric: str) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
    """How one example is scored for a number of that name: `top1_few` is `top1`, with few labels. Raises ValueError."""
    kind = metric.split("_")[0]
    if kind not in PER_EXAMPLE:
        raise ValueError(f"{metric}: not known of one example; expected one of {', '.join(PER_EXAMPLE)}")
    return PER_EXAMPLE[kind]


PER_EXAMPLE: dict[str, Callable[[Mapping[str, np.ndarray]], np.ndarray]] = {
    "top1": lambda predictions: top1(predictions["label"], predictions["prediction"]),
    "ndcg": lambda predictions: of_label(predictions["label"], predictions["scores"]),
    "accuracy": lambda predictions: top1(predictions["label"], predictions["prediction"]),
    "error": lambda predictions: of_label(predictions["label"], predictions["scores"]),
}
"""By a metric's name: from the columns of `probe.Evaluation.predictions` to one value an example, (N,) float64."""
