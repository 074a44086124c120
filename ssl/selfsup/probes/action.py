"""Action recognition from frozen features of several frames of a clip, by one softmax layer.

Two heads: one on the frames' features in their order, and one on their average, which sees no order beyond what the
network takes in with a frame (which of them the others are shifted onto): what the first has beyond the second is the
worth of order. Two-stream networks (Simonyan and Zisserman, NIPS 2014), and Shuffle and Learn with them (section 4),
average over 25 frames: the order-blind head's way. Each with all labels and with few.
"""

from typing import ClassVar

import numpy as np

from selfsup.probes.classifiers import Softmax
from selfsup.probes.features import LabelledFeatures, clip_features, pooled, pooled_each
from selfsup.probes.probe import Evaluation, Pretrained, Probe
from selfsup.probes.selection import all_labels, check_labels, check_splits, choose, few_labels
from selfsup.source import Source


class Action(Probe):
    """Numbers `top1` and `top1_few` of the ordered head, `top1_blind` and `top1_blind_few` of the other one."""

    table = "clips"
    streams = ("frames",)
    asks = ""
    moving = True
    ranges: ClassVar = {
        "dims": (1, 1_000_000),
        "frames": (2, 10_000),
        "few_labels": (1, 1_000_000),
        "few_draws": (1, 1000),
        "penalties": (1e-12, 1e12),
        "max_iterations": (1, 1_000_000),
    }

    def __init__(
        self,
        *,
        label: str,
        dims: int,
        frames: int,
        few_labels: int,
        few_draws: int,
        penalties: list[float],
        max_iterations: int,
    ) -> None:
        """label: the clip's label to predict. dims: the most numbers that a block of one frame is pooled to.
        frames: of each clip, for an encoder of single frames; one of several takes those of its window.
        few_labels: training clips a class whose labels are used, drawn `few_draws` times: the numbers are means over
        the draws. Each draw chooses block and penalty on as many validation clips.
        penalties, max_iterations: see `Linear`.
        """
        self.label = label
        self.labels = (label,)
        self.dims = dims
        self.frames = frames
        self.few_labels, self.few_draws = few_labels, few_draws
        self.penalties = penalties
        self.max_iterations = max_iterations

    def evaluate(
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """seed: of the draws of few labels. Raises ValueError like `Linear`."""
        encoder = pretrained.encoder_of(self.streams)
        check_splits("action recognition", training=train, validation=validation, test=test)
        several = encoder.windows["frames"].steps > 1
        splits = {
            split: clip_features(
                encoder,
                source,
                label=self.label,
                times_per_clip=1 if several else self.frames,
                dims=self.dims,
                device=device,
                pool=pooled_each if several else pooled,
            )
            for split, source in (("train", train), ("validation", validation), ("test", test))
        }
        labels = splits["train"].labels
        check_labels("action recognition", self.label, labels)
        classes = splits["train"].classes
        truth = splits["validation"].labels
        few = few_labels(labels, truth, self.few_labels, self.few_draws, np.random.default_rng((seed, 1)))
        numbers = []
        for head, joined in (("", in_order), ("_blind", averaged)):
            blocks = {split: joined(one) for split, one in splits.items()}
            for amount, draws in (("", all_labels(labels, truth)), ("_few", few)):
                chosen = choose(
                    (blocks["train"], labels),
                    (blocks["validation"], truth),
                    draws,
                    self.penalties,
                    lambda x, y, penalties: Softmax.path(x, y, classes, penalties, self.max_iterations),
                )
                metrics = {f"top1{head}{amount}": 1 / classes}
                numbers += chosen.evaluated(
                    metrics, splits["test"].features.rows, splits["test"].labels, blocks["test"]
                )
        return numbers


def in_order(split: LabelledFeatures) -> dict[str, np.ndarray]:
    """Blocks (N, T, D) -> (N, 1, T * D): frame after frame."""
    return {name: block.reshape(len(block), 1, -1) for name, block in split.features.blocks.items()}


def averaged(split: LabelledFeatures) -> dict[str, np.ndarray]:
    """Blocks (N, T, D) -> (N, 1, D), the same in any order of the frames' features."""
    return {name: block.mean(axis=1, keepdims=True) for name, block in split.features.blocks.items()}
