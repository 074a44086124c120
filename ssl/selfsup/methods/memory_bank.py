"""Memory banks: a vector of each entry of the row table, which stands for what the network last made of it.

Wu, Xiong, Yu and Lin, "Unsupervised feature learning via non-parametric instance discrimination", CVPR 2018.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.source import Table

Objective = Literal["cross_entropy", "nce"]


class MemoryBank(nn.Module):
    """`vectors` has the size of the data, so that no weights file holds it; checkpoints do."""

    vectors: Tensor
    """(N, dims)"""
    log_z: Tensor
    """The logarithm of NCE's normalising constant, of the first batch; 0 until `estimated`."""
    estimated: Tensor

    def __init__(self, *, dims: int, temperature: float, momentum: float, objective: Objective, negatives: int) -> None:
        """momentum: how much of its old vector an entry keeps; .5 in all papers. objective: `cross_entropy` of the
        entry among all others, or `nce`, see `noise_contrast`. negatives: how many others are drawn for each query;
        0, for cross-entropy, takes all.
        Raises ValueError for a temperature that is not above 0, a momentum that is not in [0, 1), another objective,
        negatives below 0, and NCE without negatives.
        """
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"memory bank: temperature must be above 0, not {temperature}")
        if not 0 <= momentum < 1:
            raise ValueError(f"memory bank: momentum must be at least 0 and less than 1, not {momentum}")
        if objective not in ("cross_entropy", "nce"):
            raise ValueError(f"memory bank: objective must be cross_entropy or nce, not {objective!r}")
        if negatives < 0 or (objective == "nce" and negatives == 0):
            raise ValueError(f"memory bank: {objective} takes {int(objective == 'nce')} or more negatives: {negatives}")
        self.dims, self.temperature, self.momentum = dims, temperature, momentum
        self.objective, self.negatives = objective, negatives
        self.register_buffer("vectors", torch.zeros(0, dims), persistent=False)
        self.register_buffer("log_z", torch.zeros(()))
        self.register_buffer("estimated", torch.zeros((), dtype=torch.bool))

    def fill(self, entries: int, generator: Generator) -> None:
        """Before training: random vectors of a length near 1, uniform in +-1 / sqrt(dims / 3), as in the authors' code
        (lib/NCEAverage.py)."""
        bound = 1 / math.sqrt(self.dims / 3)
        self.vectors = bound * (2 * torch.rand(entries, self.dims, generator=generator) - 1)

    def drawn(self, indices: Tensor, generator: Generator) -> Tensor | None:
        """indices: (B,) int64, entries -> (B, negatives) int64, uniform from the other entries, with replacement. The
        authors' code may also draw the entry itself. None where all are taken, and before the bank is filled."""
        others = len(self.vectors) - 1
        if self.negatives == 0 or others < 1:
            return None
        shape = (len(indices), self.negatives)
        numbers = torch.randint(others, shape, generator=generator, device=generator.device)
        return numbers + (numbers >= indices[:, None])

    def loss(self, queries: Tensor, indices: Tensor, negatives: Tensor | None) -> Tensor:
        """queries: (B, dims) of length 1. indices: (B,), the entries that they are of. negatives: of `drawn`. -> the
        mean loss, in fp32. No gradient reaches the bank."""
        with torch.autocast(queries.device.type, enabled=False):
            queries = queries.float() / self.temperature
            if negatives is None:
                return F.cross_entropy(queries @ self.vectors.T, indices)
            compared = self.vectors[torch.cat([indices[:, None], negatives], dim=1)]
            scores = torch.bmm(compared, queries[:, :, None])[:, :, 0]
            if self.objective == "cross_entropy":
                return F.cross_entropy(scores, torch.zeros_like(indices))
            with torch.no_grad():
                count = math.log(scores.numel())
                estimate = scores.flatten().logsumexp(dim=0) - count + math.log(len(self.vectors))
                self.log_z.copy_(torch.where(self.estimated, self.log_z, estimate))
                self.estimated.fill_(True)
            return noise_contrast(scores - self.log_z, len(self.vectors))

    @torch.no_grad()
    def update(self, indices: Tensor, vectors: Tensor) -> None:
        """After a step: entries (B,) move towards vectors (B, dims), and get length 1."""
        moved = self.vectors[indices].lerp(vectors.float(), 1 - self.momentum)
        self.vectors[indices] = F.normalize(moved, dim=1)


def drawn_pictures(table: Table, count: int, generator: Generator) -> Table:
    """count: how many entries of a row table to keep, at random, in their order; 0, or as many as there are, for all.

    An entry's vector is renewed once an epoch. In a short run on many pictures the bank stays stale, or random; fewer
    pictures are seen more often.
    """
    entries = len(table["row"])
    if count == 0 or count >= entries:
        return table
    chosen = torch.randperm(entries, generator=generator)[:count].sort().values
    return {name: column[chosen] for name, column in table.items()}


def noise_contrast(log_probabilities: Tensor, entries: int) -> Tensor:
    """log_probabilities: (B, 1 + K), what the model says of the right entry, then of K that were drawn uniformly from
    `entries`. -> the mean over B of J_NCE (Wu et al., equations 6 and 7; the sum over the K, as in the authors' code).

    An entry with probability P is taken for data, not noise, with h = P / (P + K / entries). J is -log h of the right
    one and -log(1 - h) of the others.
    """
    odds = log_probabilities - math.log((log_probabilities.shape[1] - 1) / entries)
    return (F.softplus(-odds[:, 0]) + F.softplus(odds[:, 1:]).sum(dim=1)).mean()
