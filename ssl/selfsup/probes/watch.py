"""What encoders make of a few clips while they are trained: whether features collapse, and how well labels can be read
off their neighbours. Labels are for whoever watches: nothing is chosen by them, and training does not see them."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from selfsup.networks.encoder import Encoder, window_times
from selfsup.source import Draw, Source

# Nothing of `selfsup.probes.features`: pretraining reaches this file, and an edit of a probe would train all runs anew.

BATCH = 256
"""Of clips that go through an encoder at once."""


@dataclass(frozen=True)
class Neighbours:
    """Of the classifier of Wu et al., CVPR 2018, section 3.4. count: k, or all of the bank if that is smaller."""

    bank: Source
    entries: Tensor
    label: str
    count: int
    temperature: float


@dataclass(frozen=True)
class ClipWatch:
    """A watch for `selfsup.training.pretrain`. source: of the table `clips`; entries: (N,) int64 of it, always the
    same. neighbours: None where there are no labels. Encoders are given whole frames, whatever they are trained on."""

    source: Source
    entries: Tensor
    neighbours: Neighbours | None

    def __call__(self, encoders: Mapping[str, Encoder], device: str) -> dict[str, float]:
        """For each encoder `feature_std`, `effective_rank` and, with neighbours, `knn_top1`; of several encoders, each
        begins with the encoder's name and `_`. Not a number where features are not finite."""
        return {
            f"{name}_{column}" if len(encoders) > 1 else column: value
            for name, encoder in encoders.items()
            for column, value in self._measured(encoder, device).items()
        }

    def _measured(self, encoder: Encoder, device: str) -> dict[str, float]:
        features, labels = middle_features(encoder, self.source, self.entries, device)
        measured = {"feature_std": feature_std(features), "effective_rank": effective_rank(features)}
        if self.neighbours is not None:
            near = self.neighbours
            bank, known = middle_features(encoder, near.bank, near.entries, device)
            weights = votes(
                *nearest(features, bank, near.count),
                known[near.label],
                classes=len(near.bank.classes[near.label]),
                temperature=near.temperature,
            )
            measured["knn_top1"] = (weights.argmax(dim=1) == labels[near.label]).float().mean().item()
        return measured


@torch.no_grad()
def middle_features(
    encoder: Encoder, source: Source, entries: Tensor, device: str
) -> tuple[Tensor, Mapping[str, Tensor]]:
    """The middle of each clip, read as `encoder.windows` says: the last block, averaged over all of its axes, at length
    1 -> (N, C) float32, and the labels that the source carries, (N,) each, all on the CPU."""
    centres, rows = (source.table["start"] + source.table["end"]) / 2, source.table["row"]
    features: list[Tensor] = []
    labels: dict[str, list[Tensor]] = {}
    for indices in torch.split(entries, BATCH):
        times = {stream: window_times(centres[indices], window) for stream, window in encoder.windows.items()}
        batch = source.take(Draw(indices, rows[indices], times))
        last = encoder.blocks(encoder.prepare(batch.to(device).streams))[-1]
        features.append(F.normalize(last.flatten(2).mean(dim=2).float(), dim=1).cpu())
        for name, values in batch.labels.items():
            labels.setdefault(name, []).append(values)
    return torch.cat(features), {name: torch.cat(values) for name, values in labels.items()}


def feature_std(features: Tensor) -> float:
    """features: (N, D) of length 1. The standard deviation over N, averaged over D: 0 where all are the same, at most
    1 / sqrt(D), which spread ones come near to (Chen and He, CVPR 2021, section 4.1)."""
    return features.std(dim=0, correction=0).mean().item()


def effective_rank(features: Tensor) -> float:
    """features: (N, D). exp of the entropy of the singular values, divided by their sum (Roy and Vetterli, EUSIPCO
    2007): 1 where all point the same way, at most min(N, D); 0 where all are zero."""
    if not torch.isfinite(features).all():
        return float("nan")
    values = torch.linalg.svdvals(features.double())
    if values.sum() == 0:
        return 0.0
    return torch.special.entr(values / values.sum()).sum().exp().item()


def nearest(features: Tensor, bank: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """features: (N, D), bank: (M, D), of length 1 -> (N, K) cosines with the `count` nearest of the bank (all of it, if
    that is fewer), nearest first, and (N, K) their positions."""
    similarity, places = (features @ bank.T).topk(min(count, len(bank)), dim=1)
    return similarity, places


def votes(similarity: Tensor, places: Tensor, labels: Tensor, *, classes: int, temperature: float) -> Tensor:
    """similarity, places: (N, K), of `nearest`; labels: (M,) of the bank -> (N, classes), what each class weighs among
    these K, each weighing exp(cosine / temperature), up to a factor a row."""
    # Less the largest: only ratios count, and exp(1 / temperature) would be a large number.
    weights = ((similarity - similarity[:, :1]) / temperature).exp()
    return torch.zeros(len(similarity), classes).scatter_add_(1, labels[places], weights)
