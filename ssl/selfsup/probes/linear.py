"""Linear probe: a frozen encoder, one softmax layer on each block, as in Zhang, Isola and Efros, ECCV 2016, and
RotNet, section 4.2.

Deviates from both in that the softmax layer is fitted to convergence by L-BFGS with an L2 penalty, not by SGD with
crops and flips, and that the block is chosen on validation and reported alone, not the best of all on the test set.
All features are held in memory: good for some 100,000 frames.
"""

from typing import ClassVar

import numpy as np

from selfsup.networks.encoder import Encoder
from selfsup.probes.classifiers import Softmax
from selfsup.probes.features import Features, clip_features
from selfsup.probes.probe import Evaluation, Pretrained, Probe
from selfsup.probes.selection import check_labels, check_splits, choose
from selfsup.source import Source


class Linear(Probe):
    """One softmax layer a block and penalty; the pair that is best on validation is scored on the test clips."""

    table = "clips"
    streams = ("frames",)
    asks = ""
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
        penalties: candidates for lambda in `mean cross-entropy + lambda / 2 * squared weights`; of equally
        good ones the first is chosen.
        max_iterations: of L-BFGS, a penalty; a fit that needs more is used as it stands.
        """
        self.label = label
        self.labels = (label,)
        self.dims = dims
        self.train_frames = train_frames
        self.test_frames = test_frames
        self.penalties = penalties
        self.max_iterations = max_iterations

    def evaluate(
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """seed: unused, for nothing is drawn.

        Raises ValueError for an empty split, a label that is missing, or only one class among the training clips.
        """
        return [self.read_out(pretrained.encoder_of(self.streams), train, validation, test, device)]

    def read_out(self, encoder: Encoder, train: Source, validation: Source, test: Source, device: str) -> Evaluation:
        """The same of an encoder of any streams."""
        check_splits("linear probe", training=train, validation=validation, test=test)
        fitting = self._features(encoder, train, self.train_frames, device)
        check_labels("linear probe", self.label, fitting.labels)
        choosing = self._features(encoder, validation, self.test_frames, device)
        classes = len(train.classes[self.label])
        chosen = choose(
            (fitting.blocks, fitting.labels),
            (choosing.blocks, choosing.labels),
            [np.arange(len(fitting.labels))],
            self.penalties,
            lambda x, y, penalties: Softmax.path(x, y, classes, penalties, self.max_iterations),
        )
        final = self._features(encoder, test, self.test_frames, device)
        return chosen.evaluated("top1", final.rows, final.labels, final.blocks, classes)

    def _features(self, encoder: Encoder, source: Source, times: int, device: str) -> Features:
        # A still shows the same at every time of it.
        moves = bool((source.table["end"] > source.table["start"]).any())
        return clip_features(
            encoder, source, label=self.label, times_per_clip=times if moves else 1, dims=self.dims, device=device
        )
