"""BiGAN: Donahue, Krähenbühl and Darrell, "Adversarial feature learning", ICLR 2017.

Withheld: which of the pairs (picture, code) is a real picture with the encoder's code, and which is a drawn code with
the generator's picture. Predicted: by a discriminator, which it is. The encoder and the generator learn to fool it,
which they do best when each inverts the other.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import RandomCrop

SMALLEST = 4
"""px: the side of the discriminator's last map, and of the generator's first."""
SLOPE = 0.2
"""Of the leaky ReLUs below zero, as in DCGAN."""
AVERAGED = 2048
"""Training pictures of which the mean image is made: what reconstructions are compared with."""


@dataclass(frozen=True)
class Pairs:
    """images: (B, 3, side, side) in [-1, 1], what the encoder takes. small: (B, 3, s, s), the same pictures as the
    discriminator sees them. codes: (B, dims), uniform in [-1, 1], what the generator takes.
    """

    images: Tensor
    small: Tensor
    codes: Tensor


class BiGAN(Method):
    """Differs from the paper in these ways.

    - The encoder is the project's trunk, with a linear layer on a grid of its last block; there it is an AlexNet.
    - The discriminator sees the code behind its convolutions, in two hidden layers. The generator mirrors it.
    - Kernels are 4 x 4 of stride 2 (DCGAN); there 5 x 5.
    - The encoder may see larger pictures than the generator makes, as in the paper's 112 px variant.
    - Weights start from PyTorch's own initialisation for the encoder, from N(0, .02) elsewhere.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "dims": (1, 65536),
        "grid": (1, 64),
        "widths": (1, 65536),
        "hidden": (1, 65536),
        "speed": (0.01, 100),
    }
    mean_image: Tensor

    def __init__(
        self,
        *,
        encoder: Encoder,
        dims: int,
        grid: int,
        widths: list[int],
        hidden: int,
        speed: float,
        crop: RandomCrop,
    ) -> None:
        """dims: of a code; 200 for ImageNet in the authors' code, 50 for MNIST.
        grid: to which the last block is averaged before the linear layer that gives the code.
        widths: channels of the discriminator's convolutions, from shallow to deep, which end at 4 x 4: its pictures,
        and the generator's, have 4 * 2^len(widths) px.
        hidden: units of the discriminator's layers on picture and code together.
        speed: how many times as fast as the discriminator encoder and generator learn; 1 in the paper.
        crop: the paper's is 64 of 72 px, mirrored half of the time.
        """
        super().__init__()
        self.encoder = encoder
        self.dims, self.speed, self.crop = dims, speed, crop
        self.side = SMALLEST * 2 ** len(widths)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(grid), nn.Flatten(), nn.Linear(encoder.channels[-1] * grid**2, dims)
        )
        self.generator = _generator(dims, widths)
        self.discriminator = Discriminator(dims, widths, hidden)
        self.register_buffer("mean_image", torch.zeros(3, self.side, self.side))
        for module in (*self.generator.modules(), *self.discriminator.modules()):
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.02)

    def fit(self, source: Source, generator: Generator) -> Table:
        """The mean image, of as many training pictures as `AVERAGED`, cropped as in training. Every entry is drawn."""
        chosen = torch.randperm(len(source.table["row"]), generator=generator)[:AVERAGED]
        total = torch.zeros_like(self.mean_image, device="cpu")
        start = Progress(0, 1)
        for indices in torch.split(chosen, 256):
            views = self.views(source.take(self.draw(source.table, indices, generator, start)), generator, start)
            total += views.small.sum(dim=0)
        self.mean_image.copy_(total / len(chosen))
        return source.table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Pairs:
        """frames (B, 1, 3, H, H) uint8 -> pictures of both sizes, and as many codes."""
        images = self.crop(self.encoder.prepare(batch.streams), generator)
        small = images
        if images.shape[-1] != self.side:
            small = F.interpolate(images, size=(self.side, self.side), mode="bilinear", antialias=True)
        codes = 2 * torch.rand(len(images), self.dims, generator=generator, device=images.device) - 1
        return Pairs(images, small, codes)

    def loss(self, views: Pairs) -> dict[str, Tensor]:
        """The paper's value function (equation 3), one step of both sides from the same pairs. The labels of encoder
        and generator are swapped, not their loss negated, as in the authors' code: else nothing would move them where
        the discriminator is sure.
        """
        real = self.discriminator(views.small, self.encode(views.images)).float()
        generated = self.discriminator(self.generate(views.codes), views.codes).float()
        # softplus(-x) is the cross-entropy of "real" for a logit x, softplus(x) that of "generated".
        return {
            "discriminator/real": F.softplus(-real).mean() / 2,
            "discriminator/generated": F.softplus(generated).mean() / 2,
            "encoder_generator/real": F.softplus(real).mean() / 2,
            "encoder_generator/generated": F.softplus(-generated).mean() / 2,
        }

    def encode(self, images: Tensor) -> Tensor:
        """images: (B, 3, side, side) in [-1, 1] -> codes (B, dims), which nothing keeps within [-1, 1]."""
        codes: Tensor = self.head(self.encoder.blocks(images)[-1])
        return codes

    def generate(self, codes: Tensor) -> Tensor:
        """codes: (B, dims), as drawn in [-1, 1] or as encoded -> pictures (B, 3, s, s) in [-1, 1]."""
        pictures: Tensor = self.generator(codes)
        return pictures

    def pretext(self, views: Pairs) -> PretextAnswers:
        """How far the generator's picture of a picture's code is from that picture, by mean squared error in [-1, 1].
        No loss asks for this: it is low only if the encoder and the generator invert each other. The trivial answer is
        the mean image."""
        made = self.generate(self.encode(views.images)).float()
        return PretextAnswers(
            torch.arange(len(made)),
            errors=(made - views.small).square().mean(dim=(1, 2, 3)),
            trivial=(self.mean_image - views.small).square().mean(dim=(1, 2, 3)),
        )

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """The two players."""
        fooling = [*self.encoder.parameters(), *self.head.parameters(), *self.generator.parameters()]
        return {"discriminator": list(self.discriminator.parameters()), "encoder_generator": fooling}

    def rates(self) -> dict[str, float]:
        """See `speed`."""
        return {"encoder_generator": self.speed}


class Discriminator(nn.Module):
    """Of pairs of a picture and a code: a logit, positive for a real picture."""

    def __init__(self, dims: int, widths: list[int], hidden: int) -> None:
        """See `BiGAN`."""
        super().__init__()
        stages: list[nn.Module] = []
        for position, (before, after) in enumerate(zip([3, *widths[:-1]], widths, strict=True)):
            # Not on the first, as in DCGAN: normalised, a batch could not be told by its colours.
            normalisation = [nn.BatchNorm2d(after)] if position else []
            convolution = nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1, bias=not position)
            stages += [convolution, *normalisation, nn.LeakyReLU(SLOPE)]
        self.convolutions = nn.Sequential(*stages, nn.Flatten())
        self.joint = nn.Sequential(
            nn.Linear(widths[-1] * SMALLEST**2 + dims, hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, 1),
        )

    def forward(self, pictures: Tensor, codes: Tensor) -> Tensor:
        """pictures: (B, 3, s, s). codes: (B, dims). -> logits (B,)."""
        logits: Tensor = self.joint(torch.cat([self.convolutions(pictures), codes], dim=1))
        return logits.squeeze(1)


def _generator(dims: int, widths: list[int]) -> nn.Sequential:
    """(B, dims) -> (B, 3, s, s) in [-1, 1], by transposed convolutions from 4 x 4 on."""
    deepest = widths[-1]
    stages: list[nn.Module] = [
        nn.Linear(dims, deepest * SMALLEST**2, bias=False),
        nn.Unflatten(1, (deepest, SMALLEST, SMALLEST)),
        nn.BatchNorm2d(deepest),
        nn.ReLU(),
    ]
    for before, after in zip(widths[:0:-1], widths[-2::-1], strict=True):
        upwards = nn.ConvTranspose2d(before, after, kernel_size=4, stride=2, padding=1, bias=False)
        stages += [upwards, nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*stages, nn.ConvTranspose2d(widths[0], 3, kernel_size=4, stride=2, padding=1), nn.Tanh())
