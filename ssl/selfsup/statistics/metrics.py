"""Metrics as one value an example, so that means, intervals and differences come from the same numbers.

The area under the ROC curve is no mean over examples: an example's value there is what the area would be by its first-
order expansion, as in the variance of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988). Their mean is the area,
and drawing clips again moves that mean as it moves the area, up to terms of second order in 1 / clips.
"""

from collections.abc import Callable, Mapping

import numpy as np

TOP = 5
ERRORS = ("error",)
"""How metrics begin of which less is better, and which are no shares."""


def top1(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """label, prediction: (N,) int -> (N,) float64: 1 where they agree, else 0."""
    return np.asarray(label == prediction, dtype=np.float64)


def of_label(label: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """label: (N,) int. scores: (N, classes) -> (N,) float64: the label's own."""
    return np.take_along_axis(scores, label[:, None], axis=1)[:, 0].astype(np.float64)


def top5(label: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """label: (N,) int. scores: (N, classes) -> (N,) float64: 1 where the label's score is one of the five greatest; of
    equal ones the first classes count."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    return (best == label[:, None]).any(axis=1).astype(np.float64)


def auc(label: np.ndarray, score: np.ndarray) -> np.ndarray:
    """label: (N,) of 0 and 1. score: (N,), greater for 1 -> (N,) float64, whose mean is the area A under the ROC curve:
    the share of pairs of a 1 and a 0 in which the 1 scores higher, ties counting half.

    Of a 1, A + N / ones * (v - A), v being the share of the 0 that it scores above; of a 0 likewise. Raises ValueError
    where there are no 1 or no 0."""
    positive = label == 1
    above, below = np.sort(score[positive]), np.sort(score[~positive])
    if not len(above) or not len(below):
        raise ValueError(f"an area under the ROC curve needs both answers: {len(above)} and {len(below)} of them")

    def share_less(values: np.ndarray, others: np.ndarray) -> np.ndarray:
        return (np.searchsorted(others, values, "left") + np.searchsorted(others, values, "right")) / (2 * len(others))

    beats = np.where(positive, share_less(score, below), 1 - share_less(score, above))
    area = beats[positive].mean()
    return area + len(label) / np.where(positive, len(above), len(below)) * (beats - area)


def is_error(metric: str) -> bool:
    """Whether less is better, in a unit of its own; any other metric is a share, of which more is better."""
    return metric.split("_")[0] in ERRORS


def per_example(metric: str) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
    """How one example is scored for a number of that name: `top1_few` is `top1`, with few labels. Raises ValueError."""
    kind = metric.split("_")[0]
    if kind not in PER_EXAMPLE:
        raise ValueError(f"{metric}: not known of one example; expected one of {', '.join(PER_EXAMPLE)}")
    return PER_EXAMPLE[kind]


PER_EXAMPLE: dict[str, Callable[[Mapping[str, np.ndarray]], np.ndarray]] = {
    "top1": lambda predictions: top1(predictions["label"], predictions["prediction"]),
    "top5": lambda predictions: top5(predictions["label"], predictions["scores"]),
    "ndcg": lambda predictions: of_label(predictions["label"], predictions["scores"]),
    "accuracy": lambda predictions: top1(predictions["label"], predictions["prediction"]),
    "auc": lambda predictions: auc(predictions["label"], predictions["scores"][:, 1].astype(np.float64)),
    "error": lambda predictions: of_label(predictions["label"], predictions["scores"]),
}
"""By a metric's name: from the columns of `probe.Evaluation.predictions` to one value an example, (N,) float64."""
