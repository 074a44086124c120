"""Sound classification by one-vs-all linear SVMs on z-scored features of a frozen network, as ESC-50 is evaluated in
"Look, listen and learn" (Arandjelovic and Zisserman, ICCV 2017, section 4.2) and SoundNet.

Of a clip some stretches as long as the network takes, evenly spaced, are examples each (they overlap where the clip is
short, and leave gaps where it is long); a clip's scores are the mean of its stretches'. Choices are made on validation,
not by cross-validation within folds.
"""

from typing import ClassVar

import numpy as np

from selfsup.probes.classifiers import OneVsAllSVM
from selfsup.probes.features import clip_features
from selfsup.probes.probe import Evaluation, Pretrained, Probe
from selfsup.probes.selection import all_labels, check_labels, check_splits, choose, few_labels
from selfsup.source import Source


class SoundSVM(Probe):
    """Numbers `top1`, with all labels, and `top1_few`."""

    table = "clips"
    streams = ("spectrogram",)
    asks = ""
    ranges: ClassVar = {
        "dims": (1, 1_000_000),
        "stretches": (1, 10_000),
        "few_labels": (1, 1_000_000),
        "few_draws": (1, 1000),
        "costs": (1e-12, 1e12),
        "max_iterations": (1, 1_000_000),
    }

    def __init__(
        self,
        *,
        label: str,
        dims: int,
        stretches: int,
        few_labels: int,
        few_draws: int,
        costs: list[float],
        max_iterations: int,
    ) -> None:
        """label: the clip's label to predict. dims: the most numbers that a block is pooled to. stretches: of a clip.
        few_labels, few_draws: see `Action`. costs: candidates for C of the SVM, see `OneVsAllSVM`.
        """
        self.label = label
        self.labels = (label,)
        self.dims = dims
        self.stretches = stretches
        self.few_labels, self.few_draws = few_labels, few_draws
        self.costs = costs
        self.max_iterations = max_iterations

    def evaluate(
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """seed: of the draws of few labels. Raises ValueError like `Linear`."""
        encoder = pretrained.encoder_of(self.streams)
        check_splits("sound classification", training=train, validation=validation, test=test)
        fitting, choosing, final = (
            clip_features(
                encoder,
                source,
                label=self.label,
                times_per_clip=self.stretches,
                dims=self.dims,
                device=device,
            )
            for source in (train, validation, test)
        )
        check_labels("sound classification", self.label, fitting.labels)
        classes = fitting.classes
        labels = fitting.labels, choosing.labels
        few = few_labels(*labels, self.few_labels, self.few_draws, np.random.default_rng((seed, 1)))
        numbers = []
        for amount, draws in (("", all_labels(*labels)), ("_few", few)):
            chosen = choose(
                (fitting.features.blocks, fitting.labels),
                (choosing.features.blocks, choosing.labels),
                draws,
                self.costs,
                lambda x, y, costs: OneVsAllSVM.path(x, y, classes, costs, self.max_iterations),
            )
            tested = final.features
            numbers += chosen.evaluated({f"top1{amount}": 1 / classes}, tested.rows, final.labels, tested.blocks)
        return numbers
