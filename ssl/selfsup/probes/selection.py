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


CHOSEN = "chosen"
"""Stands for the layer where draws of labels chose different ones."""


@dataclass(frozen=True)
class Labels:
    """Positions of the labels that one draw uses: training (N,) to fit on, validation (M,) to choose on."""

    training: np.ndarray
    validation: np.ndarray


@dataclass(frozen=True)
class Chosen:
    """choices: of each draw of labels, layer, penalty and their score on its validation labels. candidates: all that
    were tried, with means over the draws. classifiers: the chosen ones, one a draw. strengths: those to choose from."""

    choices: Sequence[dict[str, Any]]
    candidates: list[dict[str, Any]]
    classifiers: Sequence[Classifier]
    strengths: Sequence[float]

    @property
    def choice(self) -> dict[str, Any]:
        """Of all draws together; each draw's own in `draws`, if there are several."""
        if len(self.choices) == 1:
            return dict(self.choices[0])
        layers = {one["layer"] for one in self.choices}
        score = float(np.mean([one["validation_top1"] for one in self.choices]))
        layer = layers.pop() if len(layers) == 1 else CHOSEN
        return {"layer": layer, "validation_top1": score, "draws": list(self.choices)}

    @property
    def at_edge(self) -> bool:
        """Whether most draws chose the same end of the strengths."""
        return ends_at_edge([one["penalty"] for one in self.choices], self.strengths)

    def evaluated(
        self,
        metrics: Mapping[str, float],
        rows: np.ndarray,
        labels: np.ndarray,
        blocks: Mapping[str, np.ndarray],
    ) -> list[Evaluation]:
        """metrics: by name, with chance; all of the same answers. rows, labels: (N,) of the test split. blocks: (N, T,
        D) each. Every draw's answer to every example is one of the predictions, draw by draw."""
        chosen = zip(self.choices, self.classifiers, strict=True)
        scores = np.concatenate([classifier.scores(blocks[choice["layer"]]) for choice, classifier in chosen])
        draws = len(self.classifiers)
        predictions = {
            "row": np.tile(rows, draws),
            "label": np.tile(labels, draws),
            "prediction": scores.argmax(axis=1).astype(np.int64),
            "scores": scores,
        }
        return [
            Evaluation(metric, predictions, self.choice, self.candidates, {"chance": chance}, at_edge=self.at_edge)
            for metric, chance in metrics.items()
        ]


def ends_at_edge(chosen: Sequence[float], tried: Sequence[float]) -> bool:
    """Whether more than half of what was chosen is the least, or the greatest, of several that were tried."""
    return len(set(tried)) > 1 and any(
        2 * sum(one == end for one in chosen) > len(chosen) for end in (min(tried), max(tried))
    )


def choose(
    train: tuple[Mapping[str, np.ndarray], np.ndarray],
    validation: tuple[Mapping[str, np.ndarray], np.ndarray],
    draws: Sequence[Labels],
    strengths: Sequence[float],
    fit: Fit,
) -> Chosen:
    """train, validation: blocks by name, (N, T, D) each, and labels (N,). draws: which of the labels are used, each
    draw for itself. strengths: of the regularisation, to choose from.

    Each draw takes the pair of block and strength with the best top-1 on its validation labels; of equals the first:
    the shallower block, then the strength named first. Raises ValueError for nothing to choose from."""
    (blocks, labels), (unseen, truth) = train, validation
    candidates: list[dict[str, Any]] = []
    best: list[tuple[float, dict[str, Any], Classifier] | None] = [None] * len(draws)
    for layer, features in blocks.items():
        fits = [fit(features[draw.training], labels[draw.training], strengths) for draw in draws]
        for strength, *fitted in zip(strengths, *fits, strict=True):
            accuracies = []
            for number, (draw, one) in enumerate(zip(draws, fitted, strict=True)):
                said = one.scores(unseen[layer][draw.validation]).argmax(axis=1)
                accuracy = float(top1(truth[draw.validation], said).mean())
                accuracies.append(accuracy)
                known = best[number]
                if known is None or accuracy > known[0]:
                    best[number] = accuracy, {"layer": layer, "penalty": strength, "validation_top1": accuracy}, one
            candidate = {"layer": layer, "penalty": strength, "validation_top1": float(np.mean(accuracies))}
            candidates.append({**candidate, "iterations": max(one.iterations for one in fitted)})
    found = [one for one in best if one is not None]
    if not found:
        raise ValueError("no penalties were given, or the encoder has no blocks")
    return Chosen([one[1] for one in found], candidates, [one[2] for one in found], strengths)


def all_labels(training: np.ndarray, validation: np.ndarray) -> list[Labels]:
    """One draw, of every label. training, validation: the splits' labels (N,)."""
    return [Labels(np.arange(len(training)), np.arange(len(validation)))]


def few_labels(
    training: np.ndarray, validation: np.ndarray, count: int, draws: int, rng: np.random.Generator
) -> list[Labels]:
    """Draws of `count` training labels of each class, and of as many validation labels to choose on: who has few labels
    has few to choose on as well."""
    return [
        Labels(fitting, choosing)
        for fitting, choosing in zip(
            few_of_each(training, count, draws, rng), few_of_each(validation, count, draws, rng), strict=True
        )
    ]


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
