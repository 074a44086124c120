"""Exemplar-CNN: Dosovitskiy, Springenberg, Riedmiller and Brox, "Discriminative unsupervised feature learning with
convolutional neural networks", NIPS 2014.

Withheld: which seed patch a transformed patch was made of. Predicted: that, each seed being a class of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.networks.heads import PooledClassifier
from selfsup.source import Batch, Draw, Source, Table
from selfsup.views.hsv import hsv_to_rgb, rgb_to_hsv
from selfsup.views.squares import turned_squares

CANDIDATES = 4
"""Pictures that are looked at for one seed."""
PLACES = 5
"""Across and down, at which a patch may lie in its picture."""
CHUNK = 256
"""Pictures that `fit` reads at once."""
CHOICES = 16
"""Pictures among which a held-out one is to be recognised."""


@dataclass(frozen=True)
class Transformed:
    """images: (B, 3, side, side), a transformed patch of each seed. classes: (B,) int64, which seed it is of.
    again: (B, 3, side, side), another one of each; in evaluation mode only."""

    images: Tensor
    classes: Tensor
    again: Tensor | None


class Exemplar(Method):
    """Differs from the paper in these ways.

    - The head is one linear layer on the averages of the last block, without the paper's dropout.
    - Its patches are 32 of 96 px and its networks take 32 px. Here a patch is resized to the encoder's side.
    - A patch is transformed anew each time it is drawn. The paper makes about 150 of each seed beforehand.
    - A patch's place is drawn from a grid of 5 x 5, in proportion to the squared gradient there, as its picture is.
    - The scale is drawn log-uniformly, so that enlarging is as likely as shrinking.
    - Where the data have fewer pictures than `classes`, each is a class.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "classes": (2, 10_000_000),
        "patch": (0.05, 1),
        "translation": (0, 1),
        "scale": (0.1, 10),
        "rotation": (0, 180),
        "contrast": (0, 10),
        "power": (0.05, 20),
        "factor": (0.05, 20),
        "offset": (0, 1),
        "hue": (0, 0.5),
    }
    components: Tensor
    mean: Tensor

    def __init__(
        self,
        *,
        encoder: Encoder,
        classes: int,
        patch: float,
        translation: float,
        scale: tuple[float, float],
        rotation: float,
        contrast: tuple[float, float],
        power: tuple[float, float],
        factor: tuple[float, float],
        offset: float,
        hue: float,
    ) -> None:
        """classes: seeds; 8000 in the paper (section 4.2: more do not help its networks).
        patch: side of a seed patch, as a share of the picture's; 1/3 in the paper.
        Of the transformations (section 2.1), in the order in which they are applied:
        translation: at most, across and down, of the patch's side; .2. scale: .7 to 1.4. rotation: degrees at most; 20.
        contrast: factors of the three principal components of all pixels' colours; .5 to 2.
        power, factor, offset: of saturation and of value, x -> factor * x^power + offset; .25 to 4, .7 to 1.4, +-.1.
        hue: added at most, in turns; .1. None does anything at 0, or from 1 to 1.
        Raises ValueError for a range whose first number is the greater one.
        """
        super().__init__()
        for name, (least, greatest) in {"scale": scale, "contrast": contrast, "power": power, "factor": factor}.items():
            if least > greatest:
                raise ValueError(f"exemplar: {name} must go from the least to the greatest, not {[least, greatest]}")
        self.encoder = encoder
        self.head = PooledClassifier(encoder, classes)
        self.classes = classes
        self.patch = patch
        self.translation, self.scale, self.rotation = translation, scale, rotation
        self.contrast, self.power, self.factor, self.offset, self.hue = contrast, power, factor, offset, hue
        self.register_buffer("components", torch.eye(3))  # (3, 3), a component a row
        self.register_buffer("mean", torch.zeros(3))

    def fit(self, source: Source, generator: Generator) -> Table:
        """Choose the seeds and find the principal components of their pixels, [-1, 1], into `components` and `mean`.

        Looks at `CANDIDATES` random pictures a class, and draws among them in proportion to their mean squared
        gradient. Returns the chosen entries with the columns right and down: by how much the patch's middle is off the
        picture's, in shares of its side. An entry's position is its class.
        """
        count = len(source.table["row"])
        looked_at = torch.randperm(count, generator=generator)[: CANDIDATES * self.classes].sort().values
        energies = torch.cat([gradient_energies(images, self.patch) for images in self._pictures(source, looked_at)])
        # A picture that is all alike may still be needed: as unlikely as can be, not impossible.
        weights = energies.mean(dim=1).double().clamp(min=1e-12)
        chosen = drawn_by_weight(weights, min(self.classes, len(looked_at)), generator)
        places = torch.multinomial(energies[chosen].clamp(min=1e-12), 1, generator=generator)[:, 0]
        room = torch.linspace(-0.5, 0.5, PLACES) * (1 - self.patch)
        total, square, pixels = torch.zeros(3).double(), torch.zeros(3, 3).double(), 0
        for images in self._pictures(source, looked_at[chosen]):
            colours = images.transpose(0, 1).flatten(1).double()
            total, square, pixels = total + colours.sum(dim=1), square + colours @ colours.T, pixels + colours.shape[1]
        mean = total / pixels
        self.mean.copy_(mean)
        self.components.copy_(torch.linalg.eigh(square / pixels - mean.outer(mean)).eigenvectors.T)
        table = {name: column[looked_at[chosen]] for name, column in source.table.items()}
        return table | {"right": room[places % PLACES], "down": room[places // PLACES]}

    def _pictures(self, source: Source, indices: Tensor) -> Iterator[Tensor]:
        """What is read of these entries, (up to CHUNK, 3, side, side) at a time."""
        for some in torch.split(indices, CHUNK):
            yield self.encoder.prepare(
                source.take(super().draw(source.table, some, Generator(), Progress(0, 1))).streams
            )

    def held_out(self, table: Table) -> Table:
        """Patches of other pictures are their middles."""
        middle = torch.zeros(len(table["row"]))
        return {**table, "right": middle, "down": middle}

    def draw(self, table: Table, indices: Tensor, generator: Generator, progress: Progress) -> Draw:
        """indices: (B,) into the seeds, which are the classes."""
        centres = torch.stack([table["right"][indices], table["down"][indices]], dim=1)
        times = {"frames": table["time"][indices].unsqueeze(1)}
        return Draw(indices, table["row"][indices], times, {"centres": centres})

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Transformed:
        """frames (B, 1, 3, H, H) uint8 -> images (B, 3, side, side), classes (B,)."""
        images, centres = self.encoder.prepare(batch.streams), batch.targets["centres"]
        first = self.transformed(images, centres, generator)
        return Transformed(
            first, batch.indices, None if self.training else self.transformed(images, centres, generator)
        )

    def transformed(self, images: Tensor, centres: Tensor, generator: Generator) -> Tensor:
        """images: (B, 3, side, side) in [-1, 1]; centres: (B, 2), of the patches -> patches, all (B, 3, side, side)."""
        # (15, B, 1): a number for each thing that is drawn, 0 to 1.
        draws = torch.rand(15, len(images), 1, generator=generator, device=images.device)
        shifts = self.patch * self.translation * (2 * torch.cat([draws[0], draws[1]], dim=1) - 1)
        extents = self.patch / log_uniform(draws[2, :, 0], self.scale)
        turns = torch.deg2rad(self.rotation * (2 * draws[3, :, 0] - 1))
        patches = turned_squares(images, centres + shifts, extents, turns)
        factors = torch.cat([log_uniform(draw, self.contrast) for draw in draws[4:7]], dim=1)
        patches = pca_contrast(patches, self.mean, self.components, factors)
        hsv = rgb_to_hsv((patches + 1) / 2)
        # (B, 2, 1, 1): of saturation and of value.
        powers = log_uniform(torch.cat([draws[7], draws[8]], dim=1), self.power)[:, :, None, None]
        times = log_uniform(torch.cat([draws[9], draws[10]], dim=1), self.factor)[:, :, None, None]
        plus = self.offset * (2 * torch.cat([draws[11], draws[12]], dim=1) - 1)[:, :, None, None]
        hue = hsv[:, :1] + self.hue * (2 * draws[13, :, :, None, None] - 1)
        changed = (times * hsv[:, 1:].clamp(min=1e-6) ** powers + plus).clamp(0, 1)
        return 2 * hsv_to_rgb(torch.cat([hue, changed], dim=1)) - 1

    def loss(self, views: Transformed) -> dict[str, Tensor]:
        """Cross-entropy over the seeds (equation 1)."""
        logits = self.head(self.encoder.blocks(views.images))
        return {"exemplar": F.cross_entropy(logits, views.classes)}

    def pretext(self, views: Transformed) -> PretextAnswers:
        """Held-out pictures have no class. Instead: which of `CHOICES` pictures a patch is of, given another patch of
        each; answered by the last block's averages. N = B."""
        assert views.again is not None
        first, second = (self.encoder.blocks(images)[-1].mean(dim=(2, 3)) for images in (views.images, views.again))
        return recognised(first, second)


def log_uniform(draws: Tensor, bounds: tuple[float, float]) -> Tensor:
    """draws: of 0 to 1 -> of the bounds, as likely to double as to halve."""
    least, greatest = bounds
    return least * (greatest / least) ** draws


def gradient_energies(images: Tensor, patch: float) -> Tensor:
    """images: (B, C, H, H) -> (B, PLACES^2): mean squared gradient of the squares of `patch` times the side at evenly
    spaced places, row by row."""
    down, across = images.diff(dim=2)[..., :-1], images.diff(dim=3)[..., :-1, :]
    energy = (down.square() + across.square()).sum(dim=1)
    size = energy.shape[-1]
    extent = max(1, round(patch * size))
    starts = [round(place * (size - extent) / (PLACES - 1)) for place in range(PLACES)]
    squares = [energy[:, top : top + extent, left : left + extent] for top in starts for left in starts]
    return torch.stack([square.mean(dim=(1, 2)) for square in squares], dim=1)


def drawn_by_weight(weights: Tensor, count: int, generator: Generator) -> Tensor:
    """weights: (N,) positive -> (count,) different positions, each drawn in proportion to the weights of those left."""
    # torch.multinomial takes no more than 2^24 weights. Exponential races have the same law (Efraimidis, 2006).
    races = -torch.rand(len(weights), generator=generator, dtype=torch.float64).clamp(min=1e-300).log() / weights
    return races.topk(count, largest=False).indices.sort().values


def pca_contrast(images: Tensor, mean: Tensor, components: Tensor, factors: Tensor) -> Tensor:
    """images: (B, 3, H, W) in [-1, 1]; mean: (3,); components: (3, 3), orthonormal rows; factors: (B, 3), of what each
    pixel's colour has of each component -> the same shape, cut to [-1, 1]."""
    matrices = components.T @ (factors[:, :, None] * components)
    centred = images.flatten(2) - mean[:, None]
    return (matrices @ centred + mean[:, None]).clamp(-1, 1).view_as(images)


def recognised(first: Tensor, second: Tensor) -> PretextAnswers:
    """first, second: (B, D), embeddings of two views of each picture. Which of `CHOICES` pictures of the batch, of
    which one is shown as `second`, is the one shown as `first`: the nearest by cosine. A batch of fewer pictures leaves
    choices that nothing is near to."""
    batch = len(first)
    entries = torch.arange(batch, device=first.device)
    similarities = F.normalize(first.float(), dim=1) @ F.normalize(second.float(), dim=1).T
    # Whole groups of neighbours; the last group is filled up with those before it.
    starts = (entries // CHOICES * CHOICES).clamp(max=max(batch - CHOICES, 0))
    others = starts[:, None] + torch.arange(CHOICES, device=first.device)
    scores = similarities.gather(1, others.clamp(max=batch - 1))
    return PretextAnswers(entries, labels=entries - starts, scores=scores.masked_fill(others >= batch, -1))
