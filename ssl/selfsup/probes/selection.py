"""What validation decides: the block to read and how strongly to regularise, once for all draws of labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from selfsup.probes.classifiers import Classifier
from selfsup.probes.probe import Evaluation
from selfsup.source import Source, TooLittleData
from selfsup.statistics.metrics import top1

Fit = Callable[[np.ndarray, np.ndarray, Sequence[float]], Sequence[Classifier]]
"""(features (N, T, D), labels (N,), strengths of the regularisation) -> a classifier for each strength."""


@dataclass(frozen=True)
class Chosen:
    """choice: layer, penalty and their validation score. candidates: all that were tried. classifiers: the chosen
    pair's, one a draw of labels."""

    choice: dict[str, Any]
    candidates: list[dict[str, Any]]
    classifiers: Sequence[Classifier]

    def evaluated(
        self, metric: str, rows: np.ndarray, labels: np.ndarray, blocks: Mapping[str, np.ndarray], classes: int
    ) -> Evaluation:
        """rows, labels: (N,) of the test split. blocks: (N, T, D) each. Every draw's answer to every example is one of
        the predictions, draw by draw."""
        scores = np.concatenate([one.scores(blocks[self.choice["layer"]]) for one in self.classifiers])
        draws = len(self.classifiers)
        predictions = {
            "row": np.tile(rows, draws),
            "label": np.tile(labels, draws),
            "prediction": scores.argmax(axis=1).astype(np.int64),
            "scores": scores,
        }
        return Evaluation(metric, predictions, self.choice, self.candidates, {"chance": 1 / classes})


def choose(
    train: tuple[Mapping[str, np.ndarray], np.ndarray],
    validation: tuple[Mapping[str, np.ndarray], np.ndarray],
    draws: Sequence[np.ndarray],
    strengths: Sequence[float],
    fit: Fit,
) -> Chosen:
    """train, validation: blocks by name, (N, T, D) each, and labels (N,). draws: positions of the training clips whose
    labels are used, one array a draw. strengths: of the regularisation, to choose from.

    The pair of block and strength with the best mean top-1 on validation over the draws; of equals the first: the
    shallower block, then the strength named first. Raises ValueError for nothing to choose from."""
    (blocks, labels), (unseen, truth) = train, validation
    candidates: list[dict[str, Any]] = []
    best: tuple[float, dict[str, Any], list[Classifier]] | None = None
    for layer, features in blocks.items():
        fits = [fit(features[draw], labels[draw], strengths) for draw in draws]
        for strength, *fitted in zip(strengths, *fits, strict=True):
            said = [one.scores(unseen[layer]).argmax(axis=1) for one in fitted]
            accuracy = float(np.mean([top1(truth, one).mean() for one in said]))
            candidate = {"layer": layer, "penalty": strength, "validation_top1": accuracy}
            candidates.append({**candidate, "iterations": max(one.iterations for one in fitted)})
            if best is None or accuracy > best[0]:
                best = accuracy, candidate, fitted
    if best is None:
        raise ValueError("no penalties were given, or the encoder has no blocks")
    return Chosen(best[1], candidates, best[2])


def few_of_each(labels: np.ndarray, count: int, draws: int, rng: np.random.Generator) -> list[np.ndarray]:
    """labels: (N,) -> `draws` arrays of positions, `count` of each class (all of a class that has fewer)."""
    classes = [np.flatnonzero(labels == one) for one in np.unique(labels)]
    return [np.concatenate([rng.permutation(members)[:count] for members in classes]) for _ in range(draws)]


def check_splits(protocol: str, **splits: Source) -> None:
    """Raises TooLittleData for a split without clips, by its name."""
    for name, source in splits.items():
        if len(source.table["row"]) == 0:
            raise TooLittleData(f"{protocol}: the {name} split has no clips")


def check_labels(protocol: str, label: str, labels: np.ndarray) -> None:
    """Raises TooLittleData where there is nothing to tell apart."""
    if len(np.unique(labels)) < 2:
        raise TooLittleData(
            f"{protocol}: all {len(labels)} training clips have the same {label!r}: there is nothing to tell apart"
        )
