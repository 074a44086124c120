"""Masked autoencoders: He, Chen, Xie, Li, Dollár and Girshick, "Masked autoencoders are scalable vision learners", CVPR
2022.

Withheld: most patches of the picture, chosen at random. Predicted: their pixels, from the patches that are visible.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.vit import EPSILON, ViT, chosen, initialise, layers, patches, pictures, sine_cosine_positions
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import RandomCrop

MEAN_OF = 2048
"""How many entries the mean patch is taken over, at most."""
FLAT = 1e-6
"""Added to a patch's variance, so that a patch of one colour is not divided by zero (models_mae.py)."""


@dataclass(frozen=True)
class Masked:
    """images: (B, 3, side, side) in [-1, 1], whole. kept: (B, V) int64, the visible patches. hidden: (B, N - V) int64,
    the others; both count row after row from 0 on."""

    images: Tensor
    kept: Tensor
    hidden: Tensor


class MAE(Method):
    """Differs from the paper:

    - Crops are resized bilinearly, antialiased, where the authors' code has bicubic interpolation.
    - Pixels are in [-1, 1], not normalised by ImageNet's colours.
    - The decoder takes visible tokens and mask tokens in any order, because positions tell it where each belongs. The
      authors' code sorts them first. The answers are the same.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "masked": (0.01, 0.99),
        "decoder_dim": (4, 65536),
        "decoder_depth": (1, 256),
        "decoder_heads": (1, 256),
    }
    mean: Tensor

    def __init__(
        self,
        *,
        encoder: ViT,
        masked: float,
        normalise: bool,
        decoder_dim: int,
        decoder_depth: int,
        decoder_heads: int,
        crop: RandomCrop,
    ) -> None:
        """masked: the share of patches that is withheld (section 4.1: 0.75). normalise: whether pixels are predicted in
        their patch's mean and standard deviation (section 3; table 1d: better). decoder_dim, decoder_depth,
        decoder_heads: of the decoder's tokens and layers (paper: 512, 8, 16). crop: before masking (appendix A: area
        0.2 to 1).
        Raises ValueError for a share that leaves no patch visible or none withheld, and see `ViT`.
        """
        super().__init__()
        total = encoder.cells**2
        self.visible = int(total * (1 - masked))
        if not 0 < self.visible < total:
            raise ValueError(f"mae: masked {masked} leaves {self.visible} of {total} patches visible; change masked")
        self.encoder = encoder
        self.decoder = Decoder(encoder, decoder_dim, decoder_depth, decoder_heads)
        self.normalise = normalise
        self.crop = crop
        self.register_buffer("mean", torch.zeros(3 * encoder.patch**2))

    def fit(self, source: Source, generator: Generator) -> Table:
        """The mean of what is predicted of a patch, which `pretext` is read against. Every entry is drawn."""
        entries = torch.randperm(len(source.table["row"]), generator=generator)[:MEAN_OF]
        start = Progress(0, 1)
        total = torch.zeros(len(self.mean))
        for indices in torch.split(entries, 128):
            views = self.views(source.take(self.draw(source.table, indices, generator, start)), generator, start)
            total += self.targets(views.images).mean(dim=1).sum(dim=0)
        self.mean.copy_(total / len(entries))
        return source.table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Masked:
        """frames (B, 1, 3, H, H) uint8 -> images (B, 3, side, side), and which of their patches are visible."""
        images = self.crop(self.encoder.prepare(batch.streams), generator)
        kept, hidden = random_masks(len(images), self.encoder.cells**2, self.visible, generator)
        return Masked(images, kept, hidden)

    def loss(self, views: Masked) -> dict[str, Tensor]:
        """Mean squared error of the withheld patches' numbers."""
        return {"patches": self.errors(self.predict(views), views).mean()}

    def predict(self, views: Masked) -> Tensor:
        """What the decoder says of the withheld patches, (B, N - V, 3 * patch * patch) float32."""
        answers: Tensor = self.decoder(self.encoder.visible(views.images, views.kept), views.kept, views.hidden)
        return answers

    def targets(self, images: Tensor) -> Tensor:
        """images: (B, 3, side, side) -> what is to be predicted of every patch, (B, N, 3 * patch * patch) float32."""
        cut = patches(images.float(), self.encoder.patch)
        return normalised(cut) if self.normalise else cut

    def errors(self, answers: Tensor, views: Masked) -> Tensor:
        """answers: as of `predict`, or (D,) for all patches. -> squared errors, averaged over a patch, (B, N - V)."""
        return (answers - chosen(self.targets(views.images), views.hidden)).square().mean(dim=2)

    def reconstruct(self, views: Masked) -> Tensor:
        """The pictures with their withheld patches as predicted, (B, 3, side, side), about in [-1, 1]. With `normalise`
        a patch gets its true mean and standard deviation back, which the network did not predict."""
        cut = patches(views.images.float(), self.encoder.patch)
        answers = self.predict(views)
        if self.normalise:
            mean, deviation = moments(chosen(cut, views.hidden))
            answers = answers * deviation + mean
        where = views.hidden[..., None].expand_as(answers)
        return pictures(cut.scatter(1, where, answers), self.encoder.patch)

    def pretext(self, views: Masked) -> PretextAnswers:
        """Mean squared error of each picture's withheld patches, in the numbers that are predicted, against that of the
        mean patch; N = B."""
        return PretextAnswers(
            torch.arange(len(views.images)),
            errors=self.errors(self.predict(views), views).mean(dim=1),
            trivial=self.errors(self.mean, views).mean(dim=1),
        )


class Decoder(nn.Module):
    """A small transformer on the visible tokens and a mask token for each withheld patch."""

    positions: Tensor

    def __init__(self, encoder: ViT, dim: int, depth: int, heads: int) -> None:
        """encoder: whose tokens it takes; only asked for its sizes. dim, depth, heads: of its own layers."""
        super().__init__()
        self.embed = nn.Linear(encoder.dim, dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.layers = layers(dim, depth, heads)
        self.norm = nn.LayerNorm(dim, eps=EPSILON)
        self.head = nn.Linear(dim, 3 * encoder.patch**2)
        self.register_buffer("positions", sine_cosine_positions(encoder.cells, dim), persistent=False)
        initialise(self)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, tokens: Tensor, kept: Tensor, hidden: Tensor) -> Tensor:
        """tokens: (B, 1 + V, dim), the class token's and those of the patches `kept` (B, V). hidden: (B, M) int64.
        -> (B, M, 3 * patch * patch) float32."""
        given = self.embed(tokens)
        # The class token has no place: its position is 0, as in the authors' code.
        x = torch.cat(
            [given[:, :1], given[:, 1:] + self.positions[kept], self.mask_token + self.positions[hidden]], dim=1
        )
        for layer in self.layers:
            x = layer(x)
        answers: Tensor = self.head(self.norm(x[:, -hidden.shape[1] :]))
        # Squared errors in fp32, whatever the layers ran in.
        return answers.float()


def random_masks(count: int, total: int, visible: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """-> (count, visible) and (count, total - visible) int64: which of `total` patches are visible, and the others;
    every choice is as likely. By sorting noise, as in the authors' code."""
    order = torch.rand(count, total, generator=generator, device=generator.device).argsort(dim=1)
    return order[:, :visible], order[:, visible:]


def moments(cut: Tensor) -> tuple[Tensor, Tensor]:
    """cut: (B, N, D) -> each patch's mean and standard deviation, (B, N, 1), from the unbiased variance plus `FLAT`."""
    variance, mean = torch.var_mean(cut, dim=2, keepdim=True)
    return mean, (variance + FLAT).sqrt()


def normalised(cut: Tensor) -> Tensor:
    """cut: (B, N, D) float32 -> the same shape, each patch less its mean and over its standard deviation."""
    mean, deviation = moments(cut)
    return (cut - mean) / deviation
