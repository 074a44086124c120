"""Linear classifiers scored on clips that they have not seen, every clip once: cross-fitting.

For questions in which nothing is compared but a cue with chance, and the number of clips is what limits the answer.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True)
class Examples:
    """features: (N, D) float32. labels: (N,) int, 0 to classes - 1. clips: (N,) int, of which clip each is."""

    features: np.ndarray
    labels: np.ndarray
    clips: np.ndarray
    classes: int


@dataclass(frozen=True)
class Accuracy:
    """Mean over classes of the share that was right, with its standard error over clips."""

    value: float
    error: float


class SoftmaxLayer:
    """Multinomial logistic regression on features of mean 0 and spread 1 over the examples that it is fitted to, every
    class counting the same however many examples it has. `mean cross-entropy + penalty / 2 * squared weights`."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, penalty: float, max_iterations: int) -> None:
        """features: (N, D). labels: (N,). A fit that needs more iterations is used as it stands."""
        self.mean = features.mean(axis=0)
        spread = features.std(axis=0)
        # What does not vary carries nothing; rounding must not blow it up.
        self.scale = np.where(spread > 1e-6 * (1 + np.abs(self.mean)), spread, np.inf)
        self.model = LogisticRegression(
            C=1 / (penalty * len(features)), class_weight="balanced", max_iter=max_iterations
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit((features - self.mean) / self.scale, labels)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """(N, D) -> (N,) int."""
        return self.model.predict((features - self.mean) / self.scale)


def balanced(labels: np.ndarray, correct: np.ndarray, clips: np.ndarray) -> Accuracy:
    """labels, clips: (N,) int. correct: (N,) bool. Chance is one over the classes, whatever their shares.

    The error is that of a mean of clips, linearised: examples of one clip are not independent.
    """
    classes, membership = np.unique(labels, return_inverse=True)
    sizes = np.bincount(membership)
    recalls = np.bincount(membership, weights=correct) / sizes
    influence = (correct - recalls[membership]) / (len(classes) * sizes[membership])
    _, cluster = np.unique(clips, return_inverse=True)
    return Accuracy(float(recalls.mean()), float(np.sqrt((np.bincount(cluster, weights=influence) ** 2).sum())))


def crossfit(
    examples: Examples, fold_of: np.ndarray, penalties: Sequence[float], max_iterations: int
) -> tuple[Accuracy, list[float]]:
    """Scores every example once: for each fold the penalty is chosen on the next fold, the classifier fitted to the
    rest. Returns the accuracy and the penalties that were chosen, one a fold.

    fold_of: (clips,) int, by clip. Raises ValueError for fewer than three folds, or classes that a fold lacks.
    """
    folds = np.unique(fold_of)
    own = fold_of[examples.clips]
    if len(folds) < 3:
        raise ValueError(f"cross-fitting needs three folds or more: got {len(folds)}")
    correct = np.zeros(len(examples.labels), dtype=bool)
    chosen = []
    for number, fold in enumerate(folds):
        following = folds[(number + 1) % len(folds)]
        test, validation = own == fold, own == following
        train = ~test & ~validation
        if len(np.unique(examples.labels[train])) < examples.classes:
            raise ValueError(f"only {len(np.unique(examples.labels[train]))} of {examples.classes} classes to fit to")
        best = (-1.0, 0.0, correct)
        for penalty in penalties:
            layer = SoftmaxLayer(examples.features[train], examples.labels[train], penalty, max_iterations)
            right = layer.predict(examples.features[validation]) == examples.labels[validation]
            accuracy = balanced(examples.labels[validation], right, examples.clips[validation]).value
            if accuracy > best[0]:
                best = (accuracy, penalty, layer.predict(examples.features[test]) == examples.labels[test])
        chosen.append(best[1])
        correct[test] = best[2]
    return balanced(examples.labels, correct, examples.clips), chosen
