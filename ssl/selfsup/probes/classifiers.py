"""Linear classifiers on features of several times of a clip: softmax layers and one-vs-all SVMs, by L-BFGS.

Both are fitted on the principal axes of the training examples, in which an L2 penalty is the same, and there in units
of how steep the loss is along each axis. That changes where no fit ends, only how soon: features of a network vary a
thousand times more along some axes than along others, and without it a fit takes hundreds of iterations.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special

TOLERANCE = 3e-4
"""A fit ends where no slope is steeper, in those units: half the squared slope is about what is left to gain. On
features of toyworld 1e-4 scored within a point of it, all labels within two tenths, in half as much time again."""
RANK = 1e-6
"""Of the greatest variance: an axis with less is no axis of examples that are fewer than their numbers."""


class Classifier(Protocol):
    """Fitted to features (N, T, D), every time an example."""

    iterations: int

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> (N, classes) float32, averaged over a clip's times."""
        ...


class Standardised:
    """Features (N, T, D) -> examples (N * T, E) with mean 0 and standard deviation 1 over the training examples, turned
    onto their principal axes. E is D, or less where there are fewer training examples: an L2 penalty keeps the weights
    in the space that these span, so what is fitted there answers the same. variances: (E,) of the training examples."""

    def __init__(self, features: np.ndarray) -> None:
        examples = features.reshape(-1, features.shape[-1])
        self.mean = examples.mean(axis=0)
        std = examples.std(axis=0)
        # A unit that is dead on the training clips, rounding aside, carries nothing.
        self.std = np.where(std > 1e-6 * (1 + np.abs(self.mean)), std, np.inf).astype(np.float32)
        scaled = (examples - self.mean) / self.std
        if len(scaled) < scaled.shape[1]:
            squares, axes = eigh(scaled @ scaled.T)
            kept = squares > RANK * max(squares[-1], 1e-12)
            self.basis = scaled.T @ (axes[:, kept] / np.sqrt(squares[kept]))
            squares = squares[kept]
        else:
            squares, self.basis = eigh(scaled.T @ scaled)
        self.variances = np.maximum(squares, 0) / len(scaled)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        standardised = (features.reshape(-1, features.shape[-1]) - self.mean) / self.std
        return standardised @ self.basis


def eigh(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a symmetric matrix, which is overwritten: by divide and conquer, twice as fast as SciPy's default at 2,048."""
    return scipy.linalg.eigh(squares, driver="evd", overwrite_a=True, check_finite=False)


Slopes = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""What is decided (M, K) float32 -> a loss, summed over examples and classes, and its slopes (M, K) float32."""


def minimised(
    examples: np.ndarray, loss: Slopes, start: np.ndarray, steepness: np.ndarray, penalty: float, max_iterations: int
) -> tuple[np.ndarray, int]:
    """Weights (E + 1, K), the last row offsets, that minimise `loss(examples @ weights + offsets) + penalty / 2 *
    squared weights`, and the iterations that it took.

    examples: (M, E) float32. steepness: (E + 1,), about the second derivative of the whole along each axis."""
    units = 1 / np.sqrt(steepness)[:, None]

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        found = flat.reshape(start.shape) * units
        weights, offsets = found[:-1], found[-1:]
        value, slopes = loss(examples @ weights.astype(np.float32) + offsets.astype(np.float32))
        gradient = np.concatenate([penalty * weights + examples.T @ slopes, slopes.sum(axis=0, keepdims=True)])
        return value + penalty / 2 * float(np.square(weights).sum()), (gradient * units).ravel()

    options = {"maxiter": max_iterations, "gtol": TOLERANCE, "ftol": 0.0}
    result = scipy.optimize.minimize(objective, (start / units).ravel(), method="L-BFGS-B", jac=True, options=options)
    return result.x.reshape(start.shape) * units, int(result.nit)


class LinearClassifier:
    """A vector of weights for each class that the training examples have, on standardised features."""

    def __init__(
        self, standardised: Standardised, weights: np.ndarray, known: np.ndarray, classes: int, iterations: int
    ) -> None:
        """weights: (E + 1, K) of the K classes `known`, the last row their offsets."""
        self.standardised, self.weights, self.known, self.classes = standardised, weights, known, classes
        self.iterations = iterations

    def decided(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> (N, T, K)."""
        decided = self.standardised(features) @ self.weights[:-1] + self.weights[-1]
        return decided.reshape(*features.shape[:2], -1)


class Softmax(LinearClassifier):
    """Multinomial logistic regression with an L2 penalty on all but the offset."""

    @classmethod
    def path(
        cls, features: np.ndarray, labels: np.ndarray, classes: int, penalties: Sequence[float], max_iterations: int
    ) -> list["Softmax"]:
        """One a penalty, in their order. Fitted from the strongest on, each from where the one before ended: what a fit
        that `max_iterations` cuts off has found depends on those before it.

        features: (N, T, D). labels: (N,). penalties: lambda in `mean cross-entropy + lambda / 2 * squared weights`."""
        standardised = Standardised(features)
        examples = standardised(features)
        known, targets = np.unique(labels.repeat(features.shape[1]), return_inverse=True)
        count = len(examples)
        wanted = np.zeros((count, len(known)), np.float32)
        wanted[np.arange(count), targets] = 1

        def cross_entropy(decided: np.ndarray) -> tuple[float, np.ndarray]:
            decided = decided - decided.max(axis=1, keepdims=True)
            shares = np.exp(decided)
            sums = shares.sum(axis=1, keepdims=True)
            value = (np.log(sums[:, 0]) - decided[np.arange(count), targets]).mean(dtype=np.float64)
            return float(value), (shares / sums - wanted) / count

        # The second derivative where nothing is known yet: share * (1 - share) of variance.
        curvature = (1 - 1 / len(known)) / len(known)
        weights, fitted = np.zeros((examples.shape[1] + 1, len(known))), {}
        for penalty in sorted(penalties, reverse=True):
            steepness = np.append(curvature * standardised.variances + penalty, curvature)
            weights, iterations = minimised(examples, cross_entropy, weights, steepness, penalty, max_iterations)
            fitted[penalty] = cls(standardised, weights, known, classes, iterations)
        return [fitted[penalty] for penalty in penalties]

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> probabilities (N, classes) float32, averaged over a clip's times; 0 for classes that
        the training clips do not have.
        """
        shares = scipy.special.softmax(self.decided(features), axis=2)
        scores = np.zeros((len(features), self.classes), dtype=np.float32)
        scores[:, self.known] = shares.mean(axis=1)
        return scores


class OneVsAllSVM(LinearClassifier):
    """A linear support vector machine a class, against all others: squared hinge loss, L2 penalty on all but the offset
    (which liblinear penalises too), for all classes at once."""

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

        def squared_hinge(decided: np.ndarray) -> tuple[float, np.ndarray]:
            hinge = np.maximum(1 - signs * decided, 0)
            return float(np.square(hinge, dtype=np.float64).sum() / len(hinge)), -2 / len(hinge) * signs * hinge

        weights, fitted = np.zeros((examples.shape[1] + 1, len(known))), {}
        for cost in sorted(costs):
            # Divided by C: the same minimum, and slopes of one size.
            steepness = np.append(2 * standardised.variances + 1 / cost, 2.0)
            weights, iterations = minimised(examples, squared_hinge, weights, steepness, 1 / cost, max_iterations)
            fitted[cost] = cls(standardised, weights, known, classes, iterations)
        return [fitted[cost] for cost in costs]

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> distances to the margin (N, classes) float32, averaged over a clip's times; lower than
        all others for classes that the training clips do not have."""
        decided = self.decided(features).mean(axis=1)
        scores = np.full((len(features), self.classes), decided.min() - 1, dtype=np.float32)
        scores[:, self.known] = decided
        return scores
