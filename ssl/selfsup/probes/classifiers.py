"""Linear classifiers on features of several times of a clip: softmax by scikit-learn, one-vs-all SVMs by SciPy."""

import copy
import warnings
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

TOLERANCE = 1e-3
"""Of a softmax fit, which ends where no slope is steeper. On features of actions 1e-4 took up to three times as many
iterations, and what was best on validation scored within half a point of it."""


class Classifier(Protocol):
    """Fitted to features (N, T, D), every time an example."""

    iterations: int

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> (N, classes) float32, averaged over a clip's times."""
        ...


class Standardised:
    """Features (N, T, D) -> examples (N * T, E) with mean 0 and standard deviation 1 over the training examples.

    E is D, or the number of training examples where that is smaller: then they are turned, after that, into the space
    that the training examples span. An L2 penalty keeps the weights in it, so what is fitted there answers the same."""

    def __init__(self, features: np.ndarray) -> None:
        examples = features.reshape(-1, features.shape[-1])
        self.mean = examples.mean(axis=0)
        std = examples.std(axis=0)
        # A unit that is dead on the training clips, rounding aside, carries nothing.
        self.std = np.where(std > 1e-6 * (1 + np.abs(self.mean)), std, np.inf).astype(np.float32)
        self.basis: np.ndarray | None = None
        if len(examples) < examples.shape[1]:
            self.basis = np.linalg.qr(self(features).T)[0]

    def __call__(self, features: np.ndarray) -> np.ndarray:
        standardised = (features.reshape(-1, features.shape[-1]) - self.mean) / self.std
        return standardised if self.basis is None else standardised @ self.basis


class Softmax:
    """Multinomial logistic regression with an L2 penalty, by L-BFGS."""

    def __init__(self, standardised: Standardised, model: LogisticRegression, classes: int) -> None:
        self.standardised, self.model, self.classes = standardised, model, classes
        self.iterations = int(model.n_iter_.max())

    @classmethod
    def path(
        cls, features: np.ndarray, labels: np.ndarray, classes: int, penalties: Sequence[float], max_iterations: int
    ) -> list["Softmax"]:
        """One a penalty, in their order. Fitted from the strongest on, each from where the one before ended: what a fit
        that `max_iterations` cuts off has found depends on those before it.

        features: (N, T, D). labels: (N,). penalties: lambda in `mean cross-entropy + lambda / 2 * squared weights`."""
        standardised = Standardised(features)
        examples, targets = standardised(features), labels.repeat(features.shape[1])
        model = LogisticRegression(max_iter=max_iterations, solver="lbfgs", warm_start=True, tol=TOLERANCE)
        fitted = {}
        for penalty in sorted(penalties, reverse=True):
            # scikit-learn minimises C * summed cross-entropy + squared weights / 2.
            model.set_params(C=1 / (penalty * len(examples)))
            with warnings.catch_warnings():
                # Reported as `iterations` instead.
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(examples, targets)
            fitted[penalty] = cls(standardised, copy.copy(model), classes)
        return [fitted[penalty] for penalty in penalties]

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> probabilities (N, classes) float32, averaged over a clip's times; 0 for classes that
        the training clips do not have.
        """
        known = self.model.predict_proba(self.standardised(features))
        scores = np.zeros((len(features), self.classes), dtype=np.float32)
        scores[:, self.model.classes_] = known.reshape(*features.shape[:2], -1).mean(axis=1)
        return scores


class OneVsAllSVM:
    """A linear support vector machine a class, against all others: squared hinge loss, L2 penalty on all but the offset
    (which liblinear penalises too), by L-BFGS for all classes at once."""

    def __init__(
        self, standardised: Standardised, weights: np.ndarray, known: np.ndarray, classes: int, iterations: int
    ) -> None:
        """weights: (E + 1, K) of the K classes `known`, the last row their offsets."""
        self.standardised, self.weights, self.known, self.classes = standardised, weights, known, classes
        self.iterations = iterations

    @classmethod
    def path(
        cls, features: np.ndarray, labels: np.ndarray, classes: int, costs: Sequence[float], max_iterations: int
    ) -> list["OneVsAllSVM"]:
        """One a cost, in their order. Fitted from the lowest cost on, each from where the one before ended.

        features: (N, T, D). labels: (N,). costs: C in `squared weights / 2 + C * mean squared hinge`: of the mean, so
        that C means the same for any number of labels."""
        standardised = Standardised(features)
        examples = standardised(features)
        known = np.unique(labels)
        signs = np.where(labels.repeat(features.shape[1])[:, None] == known, 1, -1).astype(np.float32)
        shape = (examples.shape[1] + 1, len(known))

        def objective(flat: np.ndarray, cost: float) -> tuple[float, np.ndarray]:
            weights, offsets = np.split(flat.reshape(shape), [-1])
            decided = examples @ weights.astype(np.float32) + offsets.astype(np.float32)
            hinge = np.maximum(1 - signs * decided, 0)
            slopes = -2 * cost / len(examples) * signs * hinge
            gradient = np.concatenate([weights + examples.T @ slopes, slopes.sum(axis=0, keepdims=True)])
            squared = np.square(hinge, dtype=np.float64).sum()
            return float(np.square(weights).sum() / 2 + cost / len(examples) * squared), gradient.ravel()

        weights, fitted = np.zeros(shape), {}
        for cost in sorted(costs):
            result = scipy.optimize.minimize(
                objective, weights.ravel(), (cost,), "L-BFGS-B", jac=True, options={"maxiter": max_iterations}
            )
            weights = result.x.reshape(shape)
            fitted[cost] = cls(standardised, weights, known, classes, int(result.nit))
        return [fitted[cost] for cost in costs]

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> distances to the margin (N, classes) float32, averaged over a clip's times; lower than
        all others for classes that the training clips do not have."""
        decided = self.standardised(features) @ self.weights[:-1] + self.weights[-1]
        decided = decided.reshape(*features.shape[:2], -1).mean(axis=1)
        scores = np.full((len(features), self.classes), decided.min() - 1, dtype=np.float32)
        scores[:, self.known] = decided
        return scores
