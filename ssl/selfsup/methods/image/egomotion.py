"""Egomotion: Agrawal, Carreira and Malik, "Learning to see by moving", ICCV 2015.

Withheld: how the camera moved between two frames of a clip. Predicted: in which bin its motion lies, for each way in
which it can move.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Draw, Source, Table, TooLittleData
from selfsup.views.squares import turned_squares

WAYS = 4
"""In which a camera moves in its picture's plane: right, down, turn, zoom."""
PAIRS = 8192
"""Of which `fit` takes quantiles."""


@dataclass(frozen=True)
class Seen:
    """images: (2 * B, 3, side, side), the first frames, then the second ones. motion: (B, WAYS), see
    `relative_motion`."""

    images: Tensor
    motion: Tensor


class Egomotion(Method):
    """Differs from the paper in these ways.

    - The camera's motion is in the picture's plane, right, down, turn and zoom, and comes from the dataset's own
      annotations. The paper has translation along X and Z and rotation about Y, from the odometry of cars (KITTI).
    - Bins are quantiles of training pairs, so that each holds as many of them. The paper divides the range evenly.
    - Each frame may be moved further (`shift`, `turn`, `zoom`), by known amounts, where the camera hardly moves: the
      paper does so with digits (section 4.1). All at 0, and `extent` at 1, leave what the camera did.
    - Frames may be mirrored, both or none, and come in either order. The paper takes one crop of 227 px of both.
    - The network on the two has one hidden layer, on a grid of both frames' last blocks.
    """

    table = "clips"
    streams = ("frames",)
    moving = True
    annotations = ("camera",)
    needs_annotations: ClassVar[tuple[str, ...]] = ("camera",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "apart": (0, 3600),
        "bins": (2, 1000),
        "grid": (1, 64),
        "hidden": (1, 65536),
        "extent": (0.1, 1),
        "shift": (0, 0.5),
        "turn": (0, 180),
        "zoom": (1, 4),
        "mirrored": (0, 1),
    }
    edges: Tensor

    def __init__(
        self,
        *,
        encoder: Encoder,
        apart: tuple[float, float],
        bins: int,
        grid: int,
        hidden: int,
        extent: float,
        shift: float,
        turn: float,
        zoom: float,
        mirrored: float,
    ) -> None:
        """apart: least and greatest time between the two frames, seconds; at most 7 frames of 10 a second in the paper.
        bins: of each way to move; 20. grid: to which a frame's last block is averaged. hidden: units on both.
        extent: side of the square that is seen of a frame, as a share of it; less than 1 leaves room to move it.
        shift, turn, zoom: at most, by which each frame is moved for itself: shares of the side; degrees; a factor.
        mirrored: probability of mirroring both frames left to right.
        Raises ValueError for times apart whose first number is the greater one.
        """
        super().__init__()
        if apart[0] > apart[1]:
            raise ValueError(f"egomotion: apart must go from the least to the greatest time, not {list(apart)}")
        self.encoder = encoder
        self.apart = apart
        self.bins = bins
        self.extent, self.shift, self.turn, self.zoom = extent, shift, turn, zoom
        self.mirrored = mirrored
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(grid), nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(2 * encoder.channels[-1] * grid**2, hidden), nn.ReLU(), nn.Linear(hidden, WAYS * bins)
        )
        self.register_buffer("edges", torch.zeros(WAYS, bins - 1))

    def fit(self, source: Source, generator: Generator) -> Table:
        """Quantiles of the motion of random pairs into `edges`. Raises TooLittleData for a dataset that does not know
        its camera, and for one whose clips are single frames."""
        table = source.table
        if not (table["end"] > table["start"]).any():
            raise TooLittleData("egomotion: needs clips of several frames; these have one each")
        indices = torch.randint(len(table["row"]), (PAIRS,), generator=generator)
        drawn = self.draw(table, indices, generator, Progress(0, 1))
        cameras = source.take(Draw(drawn.indices, drawn.rows, {"camera": drawn.times["camera"]})).streams["camera"]
        if cameras.isnan().any():
            raise TooLittleData(
                "egomotion: how the camera moved is not known of this dataset. Use a rendered one, such as toyworld"
            )
        _, motion = self._moved(cameras.float(), generator)
        inner = torch.linspace(0, 1, self.bins + 1)[1:-1]
        self.edges.copy_(motion.quantile(inner, dim=0).T)
        return table

    def draw(self, table: Table, indices: Tensor, generator: Generator, progress: Progress) -> Draw:
        """indices: (B,) into `clips` -> two times of each, `apart` as far as the clip is long, in either order."""
        draws = torch.rand(3, len(indices), generator=generator, dtype=torch.float64)
        start, length = table["start"][indices], table["end"][indices] - table["start"][indices]
        between = torch.minimum(self.apart[0] + (self.apart[1] - self.apart[0]) * draws[0], length)
        first = start + (length - between) * draws[1]
        times = torch.stack([first, first + between], dim=1)
        times = torch.where(draws[2, :, None] < 0.5, times, times.flip(1))
        return Draw(indices, table["row"][indices], {"frames": times, "camera": times})

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Seen:
        """frames (B, 2, 3, H, H) uint8, camera (B, 2, WAYS) -> images (2 * B, 3, side, side), motion (B, WAYS)."""
        frames = batch.streams["frames"].transpose(0, 1).flatten(0, 1)
        images = self.encoder.prepare({"frames": frames[:, None]})
        moves, motion = self._moved(batch.streams["camera"].float(), generator)
        if self.extent < 1 or self.shift or self.turn or self.zoom > 1:
            right, down, turn, zoom = moves.transpose(0, 1).flatten(0, 1).unbind(dim=1)
            images = turned_squares(images, torch.stack([right, down], dim=1), torch.exp(-zoom), turn)
        mirrored = torch.rand(len(motion), generator=generator, device=motion.device) < self.mirrored
        images = torch.where(mirrored.repeat(2)[:, None, None, None], images.flip(3), images)
        return Seen(images, torch.where(mirrored[:, None], as_mirrored(motion), motion))

    def _moved(self, cameras: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """cameras: (B, 2, WAYS) -> by what each frame is moved further (B, 2, WAYS), and the motion of what is then
        seen (B, WAYS)."""
        draws = 2 * torch.rand(cameras.shape, generator=generator, device=cameras.device) - 1
        most = (self.shift, self.shift, math.radians(self.turn), math.log(self.zoom))
        moves = torch.stack([draw * one for draw, one in zip(draws.unbind(dim=2), most, strict=True)], dim=2)
        moves[..., 3] -= math.log(self.extent)
        first, second = moved_on(cameras, moves).unbind(dim=1)
        return moves, relative_motion(first, second)

    def logits(self, images: Tensor) -> Tensor:
        """images: (2 * B, 3, side, side) -> (B, WAYS, bins)."""
        first, second = self.pool(self.encoder.blocks(images)[-1]).chunk(2)
        return self.head(torch.cat([first, second], dim=1)).view(len(first), WAYS, self.bins)

    def binned(self, motion: Tensor) -> Tensor:
        """(B, WAYS) -> (B, WAYS) int64, 0 to bins - 1."""
        return (motion[:, :, None] >= self.edges).sum(dim=2)

    def loss(self, views: Seen) -> dict[str, Tensor]:
        """Cross-entropy over the bins, averaged over the ways to move; the paper adds them up (section 3.2)."""
        return {
            "egomotion": F.cross_entropy(self.logits(views.images).flatten(0, 1), self.binned(views.motion).flatten())
        }

    def pretext(self, views: Seen) -> PretextAnswers:
        """In which bin each way to move lies; N = WAYS * B."""
        scores = self.logits(views.images).float().softmax(dim=2)
        entries = torch.arange(len(scores), device=scores.device).repeat_interleave(WAYS)
        return PretextAnswers(entries, labels=self.binned(views.motion).flatten(), scores=scores.flatten(0, 1))


def turned(points: Tensor, turns: Tensor) -> Tensor:
    """points: (..., 2), right and down; turns: (...) radians, clockwise on the screen -> (..., 2)."""
    cosine, sine = turns.cos(), turns.sin()
    right, down = points.unbind(dim=-1)
    return torch.stack([cosine * right - sine * down, sine * right + cosine * down], dim=-1)


def moved_on(cameras: Tensor, moves: Tensor) -> Tensor:
    """cameras: (..., WAYS), right, down, turn, log of zoom, from the world to a picture: x = shift + zoom R(turn) w.
    moves: (..., WAYS) likewise, of the square that is seen of it: right and down are where its middle is in the
    picture, and y = zoom R(turn) (x - middle). -> (..., WAYS), from the world to what is seen."""
    shift = turned(cameras[..., :2] - moves[..., :2], moves[..., 2]) * moves[..., 3:].exp()
    return torch.cat([shift, cameras[..., 2:] + moves[..., 2:]], dim=-1)


def relative_motion(first: Tensor, second: Tensor) -> Tensor:
    """first, second: (B, WAYS) cameras -> (B, WAYS), the map from the first picture to the second: where its middle
    went (right, down, in shares of the side), by how much it turned (radians), the log of how much it grew. Not the
    difference of the cameras' places in the world, which no picture shows."""
    change = second[:, 2:] - first[:, 2:]
    shift = second[:, :2] - turned(first[:, :2], change[:, 0]) * change[:, 1:].exp()
    return torch.cat([shift, change], dim=1)


def as_mirrored(motion: Tensor) -> Tensor:
    """(B, WAYS) of two pictures -> that of their mirror images."""
    right, down, turn, zoom = motion.unbind(dim=1)
    return torch.stack([-right, down, -turn, zoom], dim=1)
