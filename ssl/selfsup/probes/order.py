"""Temporal order verification: whether three frames are in order, on tuples half of which are (Misra et al., ECCV 2016,
section 3).
"""

from typing import Literal

import numpy as np
import torch
from torch import Generator, Tensor

from selfsup.methods.video.shuffle_and_learn import ShuffleAndLearn, of_strategy
from selfsup.probes.probe import Evaluation, Pretrained, Probe
from selfsup.source import Source, Table

BATCH = 256  # tuples that go through the network at once; changes what comes out by rounding only


class Order(Probe):
    """The method's own answer; nothing is fitted, so that the training and validation splits are not read. Number
    `accuracy`, of the test split's tuples of one strategy, each once in order and once not, half of them backwards."""

    table = "tuples"
    streams = ("frames",)
    annotations = ("foreground",)
    asks = "order"
    uses = ("test",)
    moving = True
    labels: tuple[str, ...] = ()

    def __init__(self, *, strategy: Literal["motion", "uniform"]) -> None:
        """strategy: how the tuples were mined that are asked about, whatever the method was trained on."""
        self.strategy = strategy

    @torch.no_grad()
    def evaluate(
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """seed: of which frames are shown. Raises TooLittleData if the test split has no tuples of the strategy."""
        method = pretrained.method
        assert isinstance(method, ShuffleAndLearn)
        method.to(device).eval()
        table = of_strategy(test.table, self.strategy)
        count = len(table["row"])
        coin, back = torch.rand(2, count, generator=Generator().manual_seed(seed))
        scores, labels = [], []
        for way in (torch.zeros(count, dtype=torch.long), 1 + (coin < 0.5).long()):
            answered = [
                self._answers(method, test, table, indices, way[indices], back[indices] < 0.5, device)
                for indices in torch.split(torch.arange(count), BATCH)
            ]
            scores.append(torch.cat(answered))
            labels.append((way == 0).long())
        probabilities = torch.cat(scores).numpy().astype(np.float32)
        predictions = {
            "row": table["row"].repeat(2).numpy(),
            "label": torch.cat(labels).numpy(),
            "prediction": probabilities.argmax(axis=1).astype(np.int64),
            "scores": probabilities,
        }
        choice = {"layer": "order_head"}
        return [Evaluation("accuracy", predictions, choice, [choice], {"chance": 0.5})]

    def _answers(
        self,
        method: ShuffleAndLearn,
        source: Source,
        table: Table,
        indices: Tensor,
        way: Tensor,
        backwards: Tensor,
        device: str,
    ) -> Tensor:
        """(B, 2): how likely out of order and in order, for tuples half of which are, where in training `positives` of
        them were."""
        batch = source.take(method.drawn(table, indices, way, backwards)).to(device)
        prior = torch.tensor([1 - method.positives, method.positives], device=device).log()
        return (method.logits(method.prepare(batch.streams)) - prior).softmax(dim=1).cpu()
