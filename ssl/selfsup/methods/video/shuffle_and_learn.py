"""Shuffle and learn: Misra, Zitnick and Hebert, "Shuffle and learn: unsupervised learning using temporal order
verification", ECCV 2016.

Withheld: whether three frames of a clip are in the order in which they were taken. Predicted: whether they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import TUPLE_STRATEGIES, Batch, Draw, Source, Table, TooLittleData
from selfsup.views.geometry import RandomCrop

MARGIN = 0.06  # around what is hidden, of the picture's side
WAYS = ("bcd", "bad", "bed")
"""What may be shown of five frames a < b < c < d < e: the first is in order, the others are not (section 3.1)."""


@dataclass(frozen=True)
class Shown:
    """images: (B, 3, 3, side, side), the first, second and third frame that is shown. in_order: (B,) int64, 1 if they
    are in order (or in the reverse one), else 0."""

    images: Tensor
    in_order: Tensor


class ShuffleAndLearn(Method):
    """Differs from the paper, beside the data, in these ways.

    - Its CaffeNet has fc6 and fc7 (4096) a frame: here one hidden layer a frame, on a grid of the last block (1: on its
      mean, so that what is learned is in the channels, which probes read).
    - It classifies the three concatenated fc7 linearly; a linear layer adds up what each frame says alone, and cannot
      say of c that it lies between b and d, so there may be a hidden layer (`joint`) before it.
    - Its frames are what the camera took. The encoder here may shift the frames of a window onto each other and take
      what differs in each from their mean (`stabilised`, `contrast` of `PerFrame`), since who acts is small.
    - Tuples are drawn evenly: mining has drawn them by their motion (`pipeline.mining.tuples` for what it leaves open).
    - Its crops are 227 of 256 px; here of random size and shape, the same for the three.
    - It starts from random weights or from ImageNet's, with SGD; here from random ones alone, with the optimiser of
      params.yaml.
    """

    table = "tuples"
    streams = ("frames",)
    annotations = ("foreground",)
    answers = ("order",)
    only_annotated: ClassVar = {"shown": "background"}
    ranges: ClassVar = {
        "positives": (0.01, 0.99),
        "backwards": (0, 1),
        "grid": (1, 64),
        "hidden": (1, 65536),
        "joint": (0, 65536),
    }

    def __init__(
        self,
        *,
        encoder: Encoder,
        strategy: Literal["motion", "uniform"],
        shown: Literal["all", "background"],
        positives: float,
        backwards: float,
        grid: int,
        hidden: int,
        joint: int,
        crop: RandomCrop,
    ) -> None:
        """strategy: which of the mined tuples are drawn: those of windows with much motion, as in the paper, or the
        twin's, which were drawn without looking at motion.
        shown: `background` is a control, which hides where in any of the three frames there is something else: what is
        learned all the same is read from the camera.
        positives: the share of tuples shown in order; 0.25 in the paper (section 4). The loss is not reweighted.
        backwards: the share of all that is shown the other way round, which changes no answer (section 3.1).
        grid: to which the last block is averaged; hidden: units a frame; joint: units of a hidden layer on the three
        together, or 0 for the paper's linear one.
        crop: drawn once for the three frames, since a crop of its own for each would hide what moves.
        """
        super().__init__()
        self.encoder = encoder
        self.strategy = strategy
        self.shown = shown
        self.positives, self.backwards = positives, backwards
        self.crop = crop
        self.frame_head = nn.Sequential(
            nn.AdaptiveAvgPool2d(grid), nn.Flatten(), nn.Linear(encoder.channels[-1] * grid**2, hidden), nn.ReLU()
        )
        together: list[nn.Module] = [nn.Linear(3 * hidden, joint), nn.ReLU()] if joint else []
        self.order_head = nn.Sequential(*together, nn.Linear(joint or 3 * hidden, 2))

    def fit(self, source: Source, generator: Generator) -> Table:
        """Nothing is computed. Returns the tuples of the strategy; raises TooLittleData if none were mined."""
        return of_strategy(source.table, self.strategy)

    def draw(self, table: Table, indices: Tensor, generator: Generator, progress: Progress) -> Draw:
        """indices: (B,) into the tuples. In order with probability `positives`, else one of the two others."""
        coin, which, back = torch.rand(3, len(indices), generator=generator)
        way = torch.where(coin < self.positives, 0, 1 + (which < 0.5).long())
        return self.drawn(table, indices, way, back < self.backwards)

    def drawn(self, table: Table, indices: Tensor, way: Tensor, backwards: Tensor) -> Draw:
        """See `times_shown`; probes draw by it too."""
        times = times_shown(table, indices, way, backwards)
        streams = ("frames",) if self.shown == "all" else ("frames", "foreground")
        targets = {"in_order": (way == 0).long()}
        return Draw(indices, table["row"][indices], dict.fromkeys(streams, times), targets)

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Shown:
        """frames (B, 3, 3, H, H) uint8 -> images (B, 3, 3, side, side), in_order (B,)."""
        images = self.prepare(batch.streams)
        # The three as channels of one image: cropped and mirrored alike.
        cropped = self.crop(images.flatten(1, 2), generator)
        return Shown(cropped.reshape(images.shape), batch.targets["in_order"])

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames (B, 3, 3, H, H) uint8, perhaps foreground (B, 3, h, w) bool -> (B, 3, 3, side, side)."""
        images = self.encoder.prepare(streams)
        return images if self.shown == "all" else hidden(images, streams["foreground"])

    def loss(self, views: Shown) -> dict[str, Tensor]:
        """Cross-entropy of in order or not."""
        return {"order": F.cross_entropy(self.logits(views.images), views.in_order)}

    def logits(self, images: Tensor) -> Tensor:
        """images: (B, 3, 3, side, side) -> (B, 2): out of order, in order."""
        last = self.encoder.blocks(images)[-1].transpose(1, 2)
        each = self.frame_head(last.flatten(0, 1))
        # The three of a tuple side by side.
        logits: Tensor = self.order_head(each.reshape(len(images), -1))
        return logits


def of_strategy(table: Table, strategy: str) -> Table:
    """The mined tuples of one strategy. Raises TooLittleData if there are none."""
    chosen = table["strategy"] == TUPLE_STRATEGIES.index(strategy)
    if not chosen.any():
        raise TooLittleData(f"shuffle and learn: no tuples of strategy {strategy!r} were mined")
    return {name: column[chosen] for name, column in table.items()}


def times_shown(table: Table, indices: Tensor, way: Tensor, backwards: Tensor) -> Tensor:
    """indices: (B,) into the tuples. way: (B,) positions in `WAYS`. backwards: (B,) bool. -> (B, 3) seconds."""
    all_ways = torch.stack([torch.stack([table[letter][indices] for letter in one], dim=1) for one in WAYS])
    times = all_ways[way, torch.arange(len(indices))]
    return torch.where(backwards[:, None], times.flip(1), times)


def hidden(images: Tensor, foreground: Tensor) -> Tensor:
    """images: (B, T, C, H, W). foreground: (B, T, h, w) bool. -> images, 0 in all frames of an entry where any of them
    has foreground within `MARGIN` of the picture's side: frames that were shifted onto each other left it there."""
    height = foreground.shape[-2]
    reach = 2 * round(MARGIN * height) + 1
    anywhere = F.max_pool2d(foreground.any(dim=1, keepdim=True).float(), reach, stride=1, padding=reach // 2)
    covered = F.interpolate(anywhere, size=images.shape[-2:], mode="nearest") > 0
    return images.masked_fill(covered[:, None], 0)
