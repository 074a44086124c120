"""Contrastive multiview coding: Tian, Krishnan and Isola, "Contrastive multiview coding", ECCV 2020.

Withheld from each half of the network: the channels that the other half sees. Predicted: which picture's colour goes
with a lightness, and which one's lightness with a colour.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.contrast import told_apart
from selfsup.methods.memory_bank import MemoryBank, drawn_pictures
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.preparation import single_image
from selfsup.networks.split import SplitEncoder, scaled_lab
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import RandomCrop
from selfsup.views.lab import srgb_to_lab


@dataclass(frozen=True)
class SplitPictures:
    """pictures: (B, 3, side, side), Lab in [-1, 1]. indices: (B,), which entries they are of. negatives: (B, K),
    others, or None for all."""

    pictures: Tensor
    indices: Tensor
    negatives: Tensor | None


class CMC(Method):
    """Differs from the paper in these ways.

    - L and ab are scaled as the encoder scales them (see `scaled_lab`). The authors' code subtracts means and divides
      by (50, 92.2, 101.2).
    - Negatives are drawn from the other entries; theirs may be the entry itself.
    - Only lightness and colour, its first experiment, of the many views that the paper has.
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
        encoder: SplitEncoder,
        dims: int,
        temperature: float,
        objective: Literal["cross_entropy", "nce"],
        negatives: int,
        bank_momentum: float,
        pictures: int,
        crop: RandomCrop,
    ) -> None:
        """dims: of each half's linear layer; 128. temperature: .07 on ImageNet, .1 on STL-10. objective: `nce` with
        16384 negatives on ImageNet; `cross_entropy` is its code's --softmax, with 0 negatives over all entries.
        bank_momentum: .5. pictures: see `drawn_pictures`; all, 0, in the paper. crop: scale .2 to 1 and flip for
        AlexNet; both halves see the same.
        Raises ValueError as `MemoryBank` does, and for an encoder that is not of two halves.
        """
        super().__init__()
        if not isinstance(encoder, SplitEncoder):
            raise ValueError(f"cmc: encoder must have two halves, as SplitConvNet, not {type(encoder).__name__}")
        self.encoder = encoder
        self.lightness_head, self.colour_head = (nn.Linear(encoder.half_channels[-1], dims) for _ in range(2))
        self.lightness_bank, self.colour_bank = (
            MemoryBank(
                dims=dims, temperature=temperature, momentum=bank_momentum, objective=objective, negatives=negatives
            )
            for _ in range(2)
        )
        self.pictures = pictures
        self.crop = crop
        self.latest: tuple[Tensor, Tensor] | None = None

    def fit(self, source: Source, generator: Generator) -> Table:
        """Fill both banks, at random, for the pictures that are drawn from."""
        table = drawn_pictures(source.table, self.pictures, generator)
        for bank in (self.lightness_bank, self.colour_bank):
            bank.fill(len(table["row"]), generator)
        return table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> SplitPictures:
        """frames (B, 1, 3, H, H) uint8 -> pictures (B, 3, side, side)."""
        images = self.crop(single_image(batch.streams["frames"], self.encoder.side), generator)
        negatives = self.colour_bank.drawn(batch.indices, generator)
        return SplitPictures(scaled_lab(srgb_to_lab(images)), batch.indices, negatives)

    def embedded(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """pictures: (B, 3, side, side) -> of L and of ab, each (B, dims) float32 of length 1."""
        lightness, colour = self.encoder.halves(pictures)
        return (
            F.normalize(self.lightness_head(lightness[-1].mean(dim=(2, 3))).float(), dim=1),
            F.normalize(self.colour_head(colour[-1].mean(dim=(2, 3))).float(), dim=1),
        )

    def loss(self, views: SplitPictures) -> dict[str, Tensor]:
        """Each half's embedding against the other's bank (equation 5)."""
        lightness, colour = self.embedded(views.pictures)
        self.latest = lightness.detach(), colour.detach()
        return {
            "colour": self.colour_bank.loss(lightness, views.indices, views.negatives),
            "lightness": self.lightness_bank.loss(colour, views.indices, views.negatives),
        }

    def after_step(self, views: SplitPictures, progress: Progress) -> None:
        """The entries' vectors follow, in both banks."""
        assert self.latest is not None
        lightness, colour = self.latest
        self.lightness_bank.update(views.indices, lightness)
        self.colour_bank.update(views.indices, colour)
        self.latest = None

    def pretext(self, views: SplitPictures) -> PretextAnswers:
        """Which of 64 pictures' colours goes with a lightness: see `told_apart`. N = B."""
        return told_apart(*self.embedded(views.pictures))
