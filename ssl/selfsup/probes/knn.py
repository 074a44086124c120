"""Weighted nearest neighbours: Wu et al., "Unsupervised feature learning via non-parametric instance discrimination",
CVPR 2018, section 3.4. Nothing is trained: a test clip is of the class with most weight among the training clips that
are nearest to it, each weighing exp(cosine / temperature).

The features are the last block's, averaged over all of its axes; the paper has one embedding and fixes k at 200.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from selfsup.probes.metrics import top1
from selfsup.probes.probe import Evaluation, Pretrained, Probe, Retrieved
from selfsup.probes.selection import check_labels, check_splits
from selfsup.probes.watch import features_of, nearest, votes
from selfsup.source import Source


class KNN(Probe):
    """Number `top1`; k is chosen on validation."""

    table = "clips"
    streams = ("frames",)
    asks = ""
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
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """seed: unused, for nothing is drawn. Raises ValueError like `Linear`."""
        encoder = pretrained.encoder_of(self.streams)
        check_splits("nearest neighbours", training=train, validation=validation, test=test)
        encoder.to(device).eval()
        (bank, known), (choosing, right), (asked, truth) = (
            features_of(encoder, source, torch.arange(len(source.table["row"])), device)
            for source in (train, validation, test)
        )
        check_labels("nearest neighbours", self.label, known[self.label].numpy())
        classes = len(train.classes[self.label])
        most = max(*self.neighbours, self.kept)

        def answers(similarity: Tensor, places: Tensor, count: int) -> np.ndarray:
            weights = votes(
                similarity[:, :count],
                places[:, :count],
                known[self.label],
                classes=classes,
                temperature=self.temperature,
            )
            return (weights / weights.sum(dim=1, keepdim=True)).numpy()

        layer = f"block{len(encoder.channels)}"
        found = nearest(choosing, bank, most)
        said = [answers(*found, count).argmax(axis=1) for count in self.neighbours]
        accuracies = [float(top1(right[self.label].numpy(), one).mean()) for one in said]
        candidates = [
            {"layer": layer, "neighbours": count, "validation_top1": accuracy}
            for count, accuracy in zip(self.neighbours, accuracies, strict=True)
        ]
        best = int(np.argmax(accuracies))  # of equals the first
        similarity, places = nearest(asked, bank, most)
        scores = answers(similarity, places, self.neighbours[best])
        predictions = {
            "row": test.table["row"].numpy(),
            "label": truth[self.label].numpy(),
            "prediction": scores.argmax(axis=1).astype(np.int64),
            "scores": scores,
        }
        retrieved = Retrieved("train", train.table["row"].numpy()[places[:, : self.kept]])
        return [Evaluation("top1", predictions, candidates[best], candidates, {"chance": 1 / classes}, retrieved)]
