"""Weighted nearest neighbours: Wu et al., "Unsupervised feature learning via non-parametric instance discrimination",
CVPR 2018, section 3.4. Nothing is trained: a test clip is of the class with most weight among the training clips that
are nearest to it, each weighing exp(cosine / temperature).

The features are the last block's, averaged over all of its axes and over the frames that are kept of a clip, which may
be more for training clips than for the others, less the training clips' mean: after a ReLU all features point the same
way, and cosines between them are near 1 whatever they show. The paper has one embedding and fixes k at 200.
"""

from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from selfsup.probes.features import LabelledFeatures
from selfsup.probes.probe import Evaluation, FeatureProbe, Retrieved
from selfsup.probes.selection import check_labels, ends_at_edge
from selfsup.probes.watch import nearest, votes
from selfsup.statistics.metrics import top1


class KNN(FeatureProbe):
    """Number `top1`; k is chosen on validation."""

    table = "clips"
    streams = ("frames",)
    asks = ""
    reads_features = True
    ranges: ClassVar = {"neighbours": (1, 1_000_000), "temperature": (1e-6, 1e6), "kept": (1, 1000)}

    def __init__(self, *, label: str, neighbours: list[int], temperature: float, kept: int) -> None:
        """label: the clip's label to predict. neighbours: candidates for k. temperature: 0.07 in the paper. kept: of a
        test clip's nearest training clips, how many are written down, to be looked at."""
        self.label = label
        self.labels = (label,)
        self.neighbours = neighbours
        self.temperature = temperature
        self.kept = kept

    def evaluate(
        self, *, train: LabelledFeatures, validation: LabelledFeatures, test: LabelledFeatures, seed: int
    ) -> list[Evaluation]:
        """seed: unused, for nothing is drawn. Raises TooLittleData like `Linear`."""
        check_labels("nearest neighbours", self.label, train.labels)
        centre = averaged(train).mean(dim=0)
        bank, choosing, asked = (embedded(one, centre) for one in (train, validation, test))
        known = torch.from_numpy(train.labels)
        most = max(*self.neighbours, self.kept)

        def answers(similarity: Tensor, places: Tensor, count: int) -> np.ndarray:
            weights = votes(
                similarity[:, :count],
                places[:, :count],
                known,
                classes=train.classes,
                temperature=self.temperature,
            )
            return (weights / weights.sum(dim=1, keepdim=True)).numpy()

        layer = f"block{len(train.features.blocks)}"
        found = nearest(choosing, bank, most)
        said = [answers(*found, count).argmax(axis=1) for count in self.neighbours]
        accuracies = [float(top1(validation.labels, one).mean()) for one in said]
        candidates = [
            {"layer": layer, "neighbours": count, "validation_top1": accuracy}
            for count, accuracy in zip(self.neighbours, accuracies, strict=True)
        ]
        best = int(np.argmax(accuracies))  # of equals the first
        similarity, places = nearest(asked, bank, most)
        scores = answers(similarity, places, self.neighbours[best])
        predictions = {
            "row": test.features.rows,
            "label": test.labels,
            "prediction": scores.argmax(axis=1).astype(np.int64),
            "scores": scores,
        }
        retrieved = Retrieved("train", train.features.rows[places[:, : self.kept].numpy()])
        chance, at_edge = {"chance": 1 / train.classes}, ends_at_edge([self.neighbours[best]], self.neighbours)
        return [Evaluation("top1", predictions, candidates[best], candidates, chance, retrieved, at_edge)]


def averaged(split: LabelledFeatures) -> Tensor:
    """(N, C), over the frames that are kept of a clip."""
    return torch.from_numpy(split.features.averages).mean(dim=1)


def embedded(split: LabelledFeatures, centre: Tensor) -> Tensor:
    """centre: (C,), the training clips' mean -> (N, C), what differs from it, of length 1."""
    return F.normalize(averaged(split) - centre, dim=1)
