"""Retrieval within and across modalities: "Objects that sound" (Arandjelovic and Zisserman, ECCV 2018, section 3.3).

A picture or a sound of one test clip asks for the pictures or sounds of all others, ordered by the distance of their
embeddings; windows of one film are not others. Scored by nDCG@30: each of the first 30 that is relevant counts 1 /
log2(1 + its place), as a share of what the best order of all the others would have. Relevant is what has the same
class; the paper grades by the distance in AudioSet's ontology, which a dataset of ours need not have. Intervals are
over those that ask, among the same others.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Generator, Tensor

from selfsup.methods.audiovisual.ave_net import AVENet
from selfsup.probes.correspondence import embedded
from selfsup.probes.probe import Evaluation, Pretrained, Probe, Retrieved
from selfsup.source import Source, TooLittleData


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
        """seed: of frames and sounds. Baseline: `chance`, of an order drawn at random. A clip whose class no other film
        has is found by others but does not ask: it has nothing to find. Raises TooLittleData where that leaves none,
        and for one class, which all orders would be right for."""
        method = pretrained.method
        assert isinstance(method, AVENet)
        method.to(device).eval()
        rows = test.table["row"].numpy()
        seen, heard, labels, films = embedded(method, test, Generator().manual_seed(seed), device)
        known = labels.numpy()
        if len(np.unique(known)) < 2:
            raise TooLittleData(f"retrieval: all {len(rows)} test clips have the same {self.label!r}")
        others = films[:, None] != films[None]
        available = others.numpy().astype(np.int64) @ np.eye(len(test.classes[self.label]), dtype=np.int64)[known]
        asks = available[np.arange(len(known)), known] > 0
        if not asks.any():
            raise TooLittleData(f"retrieval: no two films of the {len(rows)} test clips have the same {self.label!r}")
        depth = min(self.depth, int(others[asks].sum(dim=1).min()))
        numbers = []
        for asking, query in (("picture", seen), ("sound", heard)):
            for asked, bank in (("picture", seen), ("sound", heard)):
                places = nearest(query.cpu(), bank.cpu(), others, depth).numpy()[asks]
                scores, by_chance = ndcg_by_class(known[places], available[asks])
                predictions = {
                    "row": rows[asks],
                    "label": known[asks],
                    "prediction": scores.argmax(axis=1).astype(np.int64),
                    "scores": scores,
                }
                choice = {"layer": "embedding"}
                chance = {"chance": float(by_chance[np.arange(len(scores)), known[asks]].mean())}
                found = Retrieved("test", rows[places])
                numbers.append(Evaluation(f"ndcg_{asking}_{asked}", predictions, choice, [choice], chance, found))
        return numbers


def nearest(query: Tensor, bank: Tensor, others: Tensor, depth: int) -> Tensor:
    """query: (N, D), bank: (M, D), of length 1. others: (N, M) bool, what may be found. -> (N, depth) positions in the
    bank, nearest first; a query with fewer others has what it may not find behind them."""
    return (query @ bank.T).masked_fill(~others, -torch.inf).topk(depth, dim=1).indices


def ndcg_by_class(found: np.ndarray, available: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """found: (N, K) classes of what was found, first to last. available: (N, C) how many of each class there were.

    -> (N, C) float32, the nDCG of each list if that class were asked for (0 if there were none of it), and (N, C), that
    of a random order."""
    discounts = 1 / np.log2(np.arange(found.shape[1]) + 2)
    gains = np.stack([(found == one) @ discounts for one in range(available.shape[1])], axis=1)
    # The best order: all that there are come first.
    best = np.concatenate([[0], discounts.cumsum()])[available.clip(max=found.shape[1])]
    best = np.where(best > 0, best, np.inf)
    by_chance = available / available.sum(axis=1, keepdims=True) * discounts.sum() / best
    return (gains / best).astype(np.float32), by_chance
