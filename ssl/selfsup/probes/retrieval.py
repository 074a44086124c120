"""Retrieval within and across modalities: "Objects that sound" (Arandjelovic and Zisserman, ECCV 2018, section 3.3).

A picture or a sound of one test clip asks for the pictures or sounds of all others, ordered by the distance of their
embeddings. Scored by nDCG@30: each of the first 30 that is relevant counts 1 / log2(1 + its place), as a share of what
the best order of all the others would have. Relevant is what has the same class; the paper grades by the distance in
AudioSet's ontology, which a dataset of ours need not have.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Generator, Tensor

from selfsup.methods.audiovisual.ave_net import AVENet
from selfsup.probes.correspondence import embedded
from selfsup.probes.probe import Evaluation, Pretrained, Probe, Retrieved
from selfsup.source import Source


class Retrieval(Probe):
    """Numbers `ndcg_picture_picture`, `ndcg_picture_sound`, `ndcg_sound_picture` and `ndcg_sound_sound`: what asks, and
    what is asked for. Nothing is fitted: the training and validation splits are not read."""

    table = "clips"
    streams = ("frames", "spectrogram")
    annotations = ("boxes",)
    asks = "correspondence"
    uses = ("test",)
    ranges: ClassVar = {"depth": (1, 100_000)}

    def __init__(self, *, label: str, depth: int) -> None:
        """label: what sounds in a clip. depth: how many of the first count; 30 in the paper."""
        self.label = label
        self.labels = (label,)
        self.depth = depth

    def evaluate(
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """seed: of frames and sounds. Baseline: `chance`, of an order drawn at random. A clip whose class no other has
        is found by others but does not ask: it has nothing to find. Raises ValueError where that leaves none."""
        method = pretrained.method
        assert isinstance(method, AVENet)
        method.to(device).eval()
        rows = test.table["row"].numpy()
        seen, heard, labels = embedded(method, test, Generator().manual_seed(seed), device)
        known = labels.numpy()
        others = np.bincount(known, minlength=len(test.classes[self.label])) - 1
        asks = others[known] > 0
        if not asks.any():
            raise ValueError(f"retrieval: no two of the {len(rows)} test clips have the same {self.label!r}")
        numbers = []
        for asking, query in (("picture", seen), ("sound", heard)):
            for asked, bank in (("picture", seen), ("sound", heard)):
                places = nearest_others(query.cpu(), bank.cpu(), self.depth).numpy()[asks]
                scores, chance = ndcg_by_class(known[places], others)
                predictions = {
                    "row": rows[asks],
                    "label": known[asks],
                    "prediction": scores.argmax(axis=1).astype(np.int64),
                    "scores": scores,
                }
                choice = {"layer": "embedding"}
                by_chance = {"chance": float(chance[known[asks]].mean())}
                found = Retrieved("test", rows[places])
                numbers.append(Evaluation(f"ndcg_{asking}_{asked}", predictions, choice, [choice], by_chance, found))
        return numbers


def nearest_others(query: Tensor, bank: Tensor, depth: int) -> Tensor:
    """query, bank: (N, D) of length 1, of the same clips in the same order -> (N, min(depth, N - 1)) positions, nearest
    first, the query's own clip left out."""
    similarity = (query @ bank.T).fill_diagonal_(-torch.inf)
    return similarity.topk(min(depth, len(bank) - 1), dim=1).indices


def ndcg_by_class(found: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """found: (N, K) classes of what was found, first to last. others: (C,) how many of a class there are to be found by
    one of it (-1 for a class that is not there).

    -> (N, C) float32, the nDCG of each list if that were the class that is asked for, and (C,), that of a random order.
    """
    depth = found.shape[1]
    discounts = 1 / np.log2(np.arange(depth) + 2)
    gains = np.stack([(found == one) @ discounts for one in range(len(others))], axis=1)
    # The best order: all that there are come first.
    ideal = np.array([discounts[: max(count, 0)].sum() for count in others])
    total = (others + 1).sum() - 1  # all clips but the one that asks
    chance = np.maximum(others, 0) / total * discounts.sum() / np.where(ideal > 0, ideal, 1)
    return (gains / np.where(ideal > 0, ideal, 1)).astype(np.float32), chance
