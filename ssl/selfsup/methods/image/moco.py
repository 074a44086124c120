"""MoCo: He, Fan, Wu, Xie and Girshick, "Momentum contrast for unsupervised visual representation learning", CVPR 2020.
Version 2: Chen, Fan, Girshick and He, "Improved baselines with momentum contrastive learning", arXiv:2003.04297, 2020.

Withheld: which of many keys is another view of the same picture as a query. Predicted: that. The keys are made by a
slowly moving copy of the encoder; those of earlier batches wait in a queue as negatives.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.contrast import told_apart
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.networks.heads import projection_head
from selfsup.source import Batch
from selfsup.views.blur import RandomBlur
from selfsup.views.colour import ColourDistortion
from selfsup.views.geometry import RandomCrop


@dataclass(frozen=True)
class QueriesAndKeys:
    """queries, keys: (B, 3, side, side) in [-1, 1], two views of each picture. order: (B,) int64, in which the keys
    pass through the momentum encoder."""

    queries: Tensor
    keys: Tensor
    order: Tensor


class MoCo(Method):
    """Version 1 has layers 1, no blur, temperature .07; version 2 layers 2, blur, temperature .2. Differs in this:

    - Shuffled batch normalisation is moot on one device: shuffling a batch that is normalised as a whole changes
      nothing. Then a key's statistics tell which queries it was normalised with (facebookresearch/moco, issue 133).
      `groups` stands for the devices: queries pass through the encoder in as many parts, keys through theirs in as many
      parts of another order.
    - Momentum may rise over the run, as in version 3 and in solo-learn's runs on CIFAR-10.
    - Colours change in one fixed order (see `adjusted`), and blur comes before them.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "temperature": (0.001, 100),
        "layers": (1, 8),
        "hidden": (1, 65536),
        "dims": (1, 65536),
        "queue": (1, 10_000_000),
        "momentum": (0, 1),
        "final_momentum": (0, 1),
        "groups": (1, 1024),
    }

    def __init__(
        self,
        *,
        encoder: Encoder,
        temperature: float,
        layers: int,
        hidden: int,
        dims: int,
        queue: int,
        momentum: float,
        final_momentum: float,
        groups: int,
        crop: RandomCrop,
        colours: ColourDistortion,
        blur: RandomBlur,
    ) -> None:
        """temperature: of the loss. layers, hidden, dims: see `projection_head`, here without normalisation; 128 dims.
        queue: how many keys wait; 65536 in the paper, fewer for fewer pictures. momentum: of the moving copy at the
        first step, final_momentum: at the last; between them it follows half a cosine. .999 at all steps in the paper.
        groups: parts that a batch is normalised in, 8 devices in the paper; 1: as a whole. crop, colours, blur: of both
        views. Raises ValueError for a momentum that is not from 0 to 1 and for a queue or groups below 1.
        """
        super().__init__()
        for name, value in {"momentum": momentum, "final_momentum": final_momentum}.items():
            if not 0 <= value <= 1:
                raise ValueError(f"moco: {name} must be from 0 to 1, not {value}")
        for name, number in {"queue": queue, "groups": groups}.items():
            if number < 1:
                raise ValueError(f"moco: {name} must be at least 1, not {number}")
        self.encoder = encoder
        self.head = projection_head(encoder.channels[-1], hidden=hidden, dims=dims, layers=layers, normalised=False)
        # In a ModuleDict, so that `encoders` doesn't find it.
        self.slow = nn.ModuleDict({"encoder": copy.deepcopy(encoder), "head": copy.deepcopy(self.head)})
        self.slow.requires_grad_(False)
        self.temperature = temperature
        self.momentum, self.final_momentum = momentum, final_momentum
        self.parts = groups
        self.crop, self.colours, self.blur = crop, colours, blur
        self.register_buffer("queue", F.normalize(torch.randn(queue, dims), dim=1))
        self.register_buffer("oldest", torch.zeros((), dtype=torch.int64))
        self.latest: Tensor | None = None

    queue: Tensor
    """(queue, dims), of length 1; random at first, as in the authors' code."""
    oldest: Tensor
    """int64: the place in the queue that the next key takes."""

    def begin_with(self, role: str, encoders: Mapping[str, Encoder]) -> None:
        """As for any method; the momentum encoder begins with the same weights. Raises ValueError as it does."""
        super().begin_with(role, encoders)
        self.slow["encoder"].load_state_dict(self.encoder.state_dict())

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> QueriesAndKeys:
        """frames (B, 1, 3, H, H) uint8 -> queries and keys (B, 3, side, side), order (B,)."""
        images = self.encoder.prepare(batch.streams).repeat(2, 1, 1, 1)
        images = self.crop(images, generator, sigmas=self.blur.sigmas(len(images), generator))
        queries, keys = self.colours(images, generator).chunk(2)
        return QueriesAndKeys(queries, keys, torch.randperm(len(keys), generator=generator, device=keys.device))

    def queried(self, images: Tensor) -> Tensor:
        """images: (N, 3, side, side) -> (N, dims) float32 of length 1, by the encoder that is trained."""
        return torch.cat([_embedded(self.encoder, self.head, part) for part in images.chunk(self.parts)])

    @torch.no_grad()
    def keyed(self, images: Tensor, order: Tensor) -> Tensor:
        """images: (N, 3, side, side). order: (N,) -> (N, dims) float32 of length 1, by the momentum encoder."""
        parts = images[order].chunk(self.parts)
        keys = torch.cat([_embedded(self.slow["encoder"], self.slow["head"], part) for part in parts])
        return keys[order.argsort()]

    def loss(self, views: QueriesAndKeys) -> dict[str, Tensor]:
        """InfoNCE of each query's key among those that wait in the queue (equation 1)."""
        self.latest = self.keyed(views.keys, views.order)
        return {"info_nce": info_nce(self.queried(views.queries), self.latest, self.queue, self.temperature)}

    @torch.no_grad()
    def after_step(self, views: QueriesAndKeys, progress: Progress) -> None:
        """The momentum encoder follows (equation 2), the batch's keys take the places of the oldest. progress: the
        steps done. Statistics of batch normalisation are the momentum encoder's own, as in the authors' code."""
        assert self.latest is not None
        momentum = risen(self.momentum, self.final_momentum, progress.fraction)
        moving = [*self.slow["encoder"].parameters(), *self.slow["head"].parameters()]
        for slow, fast in zip(moving, [*self.encoder.parameters(), *self.head.parameters()], strict=True):
            slow.lerp_(fast, 1 - momentum)
        keys, size = self.latest[-len(self.queue) :], len(self.queue)
        self.queue[(self.oldest + torch.arange(len(keys), device=keys.device)) % size] = keys
        self.oldest.add_(len(keys)).remainder_(size)
        self.latest = None

    def pretext(self, views: QueriesAndKeys) -> PretextAnswers:
        """Which of 64 pictures a query is of, by their keys: see `told_apart`. N = B."""
        return told_apart(self.queried(views.queries), self.keyed(views.keys, views.order))


def _embedded(encoder: nn.Module, head: nn.Module, images: Tensor) -> Tensor:
    assert isinstance(encoder, Encoder)
    return F.normalize(head(encoder.blocks(images)[-1].mean(dim=(2, 3))).float(), dim=1)


def risen(first: float, last: float, fraction: float) -> float:
    """From `first` at fraction 0 to `last` at 1, along half a cosine (BYOL: Grill et al., NeurIPS 2020)."""
    return last - (last - first) * (1 + math.cos(math.pi * fraction)) / 2


def info_nce(queries: Tensor, keys: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """queries, keys: (B, D), negatives: (K, D), all of length 1. -> the mean cross-entropy, in fp32, of each query's
    key among itself and the K negatives, by cosines divided by the temperature."""
    with torch.autocast(queries.device.type, enabled=False):
        right = (queries * keys).sum(dim=1, keepdim=True)
        logits = torch.cat([right, queries @ negatives.T], dim=1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device))
