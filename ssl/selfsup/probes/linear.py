"""Linear probe: a frozen encoder, one softmax layer on each block, as in Zhang, Isola and Efros, ECCV 2016, and
RotNet, section 4.2.

Deviates from both in that the softmax layer is fitted to convergence by L-BFGS with an L2 penalty, not by SGD with
crops and flips, and that the block is chosen on validation and reported alone, not the best of all on the test set.
All features are held in memory: good for some 100,000 frames.
"""

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from selfsup.networks.encoder import Encoder
from selfsup.probes.features import Features, clip_features
from selfsup.probes.metrics import top1
from selfsup.probes.probe import Evaluation, Probe
from selfsup.source import Source


class Linear(Probe):
    """One softmax layer a block and penalty; the pair that is best on validation is scored on the test clips."""

    table = "clips"
    metrics = ("top1",)
    ranges: ClassVar = {
        "dims": (1, 1_000_000),
        "train_frames": (1, 10_000),
        "test_frames": (1, 10_000),
        "penalties": (1e-12, 1e12),
        "max_iterations": (1, 1_000_000),
    }

    def __init__(
        self,
        *,
        label: str,
        dims: int,
        train_frames: int,
        test_frames: int,
        penalties: list[float],
        max_iterations: int,
    ) -> None:
        """label: the clip's label to predict. dims: the most numbers a block is pooled to; the papers have about 9,000.
        train_frames: of each clip, every one an example (the encoder's window around it, if that is longer).
        test_frames: of each validation and test clip, whose scores are averaged.
        penalties: candidates for lambda in `mean cross-entropy + lambda / 2 * squared weights`.
        max_iterations: of L-BFGS; a fit that needs more is used as it stands.
        """
        self.label = label
        self.labels = (label,)
        self.dims = dims
        self.train_frames = train_frames
        self.test_frames = test_frames
        self.penalties = penalties
        self.max_iterations = max_iterations

    def evaluate(
        self, encoder: Encoder, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> Evaluation:
        """seed: unused, for L-BFGS starts from zero and nothing is drawn.

        Raises ValueError for an empty split, a label that is missing, or only one class among the training clips.
        """
        for split, source in [("training", train), ("validation", validation), ("test", test)]:
            if len(source.table["row"]) == 0:
                raise ValueError(f"linear probe: the {split} split has no clips")
        fitting = self._features(encoder, train, self.train_frames, device)
        if len(np.unique(fitting.labels)) < 2:
            raise ValueError(
                f"linear probe: all {len(fitting.labels)} training clips have the same {self.label!r}: "
                "there is nothing to tell apart"
            )
        choosing = self._features(encoder, validation, self.test_frames, device)

        classes = len(train.classes[self.label])
        candidates: list[dict[str, Any]] = []
        best: tuple[float, _SoftmaxLayer, dict[str, Any]] | None = None
        for layer, features in fitting.blocks.items():
            for penalty in self.penalties:
                softmax = _SoftmaxLayer(features, fitting.labels, classes, penalty, self.max_iterations)
                scores = softmax.scores(choosing.blocks[layer])
                accuracy = float(top1(choosing.labels, scores.argmax(axis=1)).mean())
                candidate = {"layer": layer, "penalty": penalty, "validation_top1": accuracy}
                candidates.append({**candidate, "iterations": softmax.iterations})
                # Of equals the first: the shallower block, then the penalty that params.yaml names first.
                if best is None or accuracy > best[0]:
                    best = accuracy, softmax, candidate
        if best is None:
            raise ValueError("linear probe: no penalties were given, or the encoder has no blocks")

        _, softmax, choice = best
        final = self._features(encoder, test, self.test_frames, device)
        scores = softmax.scores(final.blocks[choice["layer"]])
        predictions = {
            "row": final.rows,
            "label": final.labels,
            "prediction": scores.argmax(axis=1).astype(np.int64),
            "scores": scores,
        }
        return Evaluation(predictions, choice, candidates, baselines={"chance": 1 / classes})

    def _features(self, encoder: Encoder, source: Source, times: int, device: str) -> Features:
        # A still shows the same at every time of it.
        moves = bool((source.table["end"] > source.table["start"]).any())
        return clip_features(
            encoder, source, label=self.label, times_per_clip=times if moves else 1, dims=self.dims, device=device
        )


class _SoftmaxLayer:
    """Multinomial logistic regression on features whose mean and spread over the training frames are 0 and 1."""

    def __init__(
        self, features: np.ndarray, labels: np.ndarray, classes: int, penalty: float, max_iterations: int
    ) -> None:
        """features: (N, T, D), every frame an example. labels: (N,)."""
        clips, frames, dims = features.shape
        examples = features.reshape(clips * frames, dims)
        self.classes = classes
        self.mean = examples.mean(axis=0)
        spread = examples.std(axis=0)
        # A unit that is dead on the training clips carries nothing: keep it at zero there.
        self.spread = np.where(spread > 0, spread, 1).astype(np.float32)
        # scikit-learn minimises C * summed cross-entropy + squared weights / 2.
        self.model = LogisticRegression(C=1 / (penalty * len(examples)), max_iter=max_iterations, solver="lbfgs")
        with warnings.catch_warnings():
            # Reported as `iterations` instead.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit((examples - self.mean) / self.spread, labels.repeat(frames))
        self.iterations = int(self.model.n_iter_.max())

    def scores(self, features: np.ndarray) -> np.ndarray:
        """features: (N, T, D) -> probabilities (N, classes) float32, averaged over a clip's frames; 0 for classes that
        the training clips do not have.
        """
        clips, frames, dims = features.shape
        examples = (features.reshape(clips * frames, dims) - self.mean) / self.spread
        known = self.model.predict_proba(examples).reshape(clips, frames, -1).mean(axis=1)
        scores = np.zeros((clips, self.classes), dtype=np.float32)
        scores[:, self.model.classes_] = known
        return scores
