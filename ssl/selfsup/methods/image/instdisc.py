"""Instance discrimination: Wu, Xiong, Yu and Lin, "Unsupervised feature learning via non-parametric instance
discrimination", CVPR 2018.

Withheld: which picture of the data a view is of. Predicted: that, every picture being a class of its own, whose weights
are what the network made of it before.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.contrast import told_apart
from selfsup.methods.memory_bank import MemoryBank, drawn_pictures
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Source, Table
from selfsup.views.colour import ColourDistortion
from selfsup.views.geometry import RandomCrop


@dataclass(frozen=True)
class Instances:
    """images: (B, 3, side, side) in [-1, 1], a view of each picture. indices: (B,), which entries they are of.
    negatives: (B, K), others, or None for all. again: another view of each; in evaluation mode only."""

    images: Tensor
    indices: Tensor
    negatives: Tensor | None
    again: Tensor | None


class InstDisc(Method):
    """Differs from the paper in these ways.

    - No proximal regularisation (equation 10), as in the authors' code.
    - Negatives are drawn from the other entries; theirs may be the entry itself.
    - Colours change in one fixed order (see `adjusted`).
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "dims": (1, 65536),
        "temperature": (0.001, 100),
        "negatives": (0, 10_000_000),
        "bank_momentum": (0, 0.9999),
        "pictures": (0, 1_000_000_000),
    }

    def __init__(
        self,
        *,
        encoder: Encoder,
        dims: int,
        temperature: float,
        objective: Literal["cross_entropy", "nce"],
        negatives: int,
        bank_momentum: float,
        pictures: int,
        crop: RandomCrop,
        colours: ColourDistortion,
    ) -> None:
        """dims: of the linear layer; 128. temperature: .07 on ImageNet, .1 on CIFAR-10. objective: `nce` with 4096
        negatives on ImageNet; `cross_entropy` with 0, the full softmax, on CIFAR-10. bank_momentum: .5.
        pictures: see `drawn_pictures`; all, 0, in the paper. crop: its authors' on CIFAR-10 has no flip.
        Raises ValueError as `MemoryBank` does.
        """
        super().__init__()
        self.encoder = encoder
        self.embedding = nn.Linear(encoder.channels[-1], dims)
        self.bank = MemoryBank(
            dims=dims, temperature=temperature, momentum=bank_momentum, objective=objective, negatives=negatives
        )
        self.pictures = pictures
        self.crop, self.colours = crop, colours
        self.latest: Tensor | None = None

    def fit(self, source: Source, generator: Generator) -> Table:
        """Fill the bank, at random, for the pictures that are drawn from."""
        table = drawn_pictures(source.table, self.pictures, generator)
        self.bank.fill(len(table["row"]), generator)
        return table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Instances:
        """frames (B, 1, 3, H, H) uint8 -> images (B, 3, side, side), and what goes with them."""
        prepared = self.encoder.prepare(batch.streams)
        images = self.colours(self.crop(prepared, generator), generator)
        negatives = self.bank.drawn(batch.indices, generator)
        again = None if self.training else self.colours(self.crop(prepared, generator), generator)
        return Instances(images, batch.indices, negatives, again)

    def embedded(self, images: Tensor) -> Tensor:
        """images: (N, 3, side, side) -> (N, dims) float32 of length 1."""
        return F.normalize(self.embedding(self.encoder.blocks(images)[-1].mean(dim=(2, 3))).float(), dim=1)

    def loss(self, views: Instances) -> dict[str, Tensor]:
        """Equation 2 over the whole bank, or equation 7 with the negatives."""
        embedded = self.embedded(views.images)
        self.latest = embedded.detach()
        return {"instance": self.bank.loss(embedded, views.indices, views.negatives)}

    def after_step(self, views: Instances, progress: Progress) -> None:
        """The entries' vectors follow."""
        assert self.latest is not None
        self.bank.update(views.indices, self.latest)
        self.latest = None

    def pretext(self, views: Instances) -> PretextAnswers:
        """Held-out pictures are not in the bank. Instead: which of 64 pictures a view is of, by another view of each:
        see `told_apart`. N = B."""
        assert views.again is not None
        return told_apart(self.embedded(views.images), self.embedded(views.again))
