"""Linear classifiers on features of several times of a clip, fitted by scikit-learn."""

import warnings
from typing import Protocol

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC


class Classifier(Protocol):
    """Fitted to features (N, T, D), every time an example."""

    iterations: int

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> (N, classes) float32, averaged over a clip's times."""
        ...


class Standardised:
    """Features (N, T, D) -> examples (N * T, D) whose mean and spread over the training examples are 0 and 1."""

    def __init__(self, features: np.ndarray) -> None:
        examples = features.reshape(-1, features.shape[-1])
        self.mean = examples.mean(axis=0)
        spread = examples.std(axis=0)
        # A unit that is dead on the training clips carries nothing: keep it at zero there.
        self.spread = np.where(spread > 0, spread, 1).astype(np.float32)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return (features.reshape(-1, features.shape[-1]) - self.mean) / self.spread


class Softmax:
    """Multinomial logistic regression with an L2 penalty, by L-BFGS."""

    def __init__(
        self, features: np.ndarray, labels: np.ndarray, classes: int, penalty: float, max_iterations: int
    ) -> None:
        """features: (N, T, D). labels: (N,). penalty: lambda in `mean cross-entropy + lambda / 2 * squared weights`."""
        self.classes = classes
        self.standardised = Standardised(features)
        examples = self.standardised(features)
        # scikit-learn minimises C * summed cross-entropy + squared weights / 2.
        self.model = LogisticRegression(C=1 / (penalty * len(examples)), max_iter=max_iterations, solver="lbfgs")
        with warnings.catch_warnings():
            # Reported as `iterations` instead.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(examples, labels.repeat(features.shape[1]))
        self.iterations = int(self.model.n_iter_.max())

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> probabilities (N, classes) float32, averaged over a clip's times; 0 for classes that
        the training clips do not have.
        """
        known = self.model.predict_proba(self.standardised(features))
        scores = np.zeros((len(features), self.classes), dtype=np.float32)
        scores[:, self.model.classes_] = known.reshape(*features.shape[:2], -1).mean(axis=1)
        return scores


class OneVsAllSVM:
    """A linear support vector machine a class, against all others: L2 penalty, squared hinge loss."""

    def __init__(
        self, features: np.ndarray, labels: np.ndarray, classes: int, cost: float, max_iterations: int, seed: int
    ) -> None:
        """features: (N, T, D). labels: (N,). cost: C in `squared weights / 2 + C * mean squared hinge`: of the mean, so
        that C means the same for any number of labels. seed: of the solver's order of coordinates."""
        self.classes = classes
        self.standardised = Standardised(features)
        examples = self.standardised(features)
        self.model = LinearSVC(
            C=cost / len(examples), dual=len(examples) < examples.shape[1], max_iter=max_iterations, random_state=seed
        )
        with warnings.catch_warnings():
            # Reported as `iterations` instead.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(examples, labels.repeat(features.shape[1]))
        self.iterations = int(self.model.n_iter_)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> distances to the margin (N, classes) float32, averaged over a clip's times; lower than
        all others for classes that the training clips do not have."""
        decided = self.model.decision_function(self.standardised(features))
        if decided.ndim == 1:  # scikit-learn fits one machine to two classes.
            decided = np.stack([-decided, decided], axis=1)
        decided = decided.reshape(*features.shape[:2], -1).mean(axis=1)
        scores = np.full((len(features), self.classes), decided.min() - 1, dtype=np.float32)
        scores[:, self.model.classes_] = decided
        return scores
