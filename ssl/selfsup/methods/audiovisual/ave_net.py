"""AVE-Net: Arandjelovic and Zisserman, "Objects that sound", ECCV 2018; the task is that of "Look, listen and learn",
ICCV 2017.

Withheld: whether a frame and a stretch of sound are of the same clip. Predicted: whether they are, from nothing but the
distance of their embeddings, which can therefore be compared across modalities.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.audiovisual.pairs import pair_times
from selfsup.methods.method import Method, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Draw, Span, Table
from selfsup.views.geometry import RandomCrop, object_crop

STEEPNESS, NEUTRAL = 3.0, 1.3  # of the answer at first: logits a unit of distance, and the distance of even odds


@dataclass(frozen=True)
class Pairs:
    """images: (B, 3, side, side) and sounds: (B, 1, bins, steps), of the same clip where they stand at the same place.
    parents: (B,) int64, of which file each is."""

    images: Tensor
    sounds: Tensor
    parents: Tensor


class Embedding(nn.Module):
    """Each channel's greatest value in the last block, two fully connected layers, length 1 (figure 2 of the paper).

    Before the length is made 1 each number is normalised over the batch, which the paper does not do: without that all
    embeddings of a modality are nearly the same at first. After 700 steps of 128 clips of an earlier toyworld the area
    under the ROC curve was .56 without and .64 with it, on validation.
    """

    def __init__(self, channels: int, dims: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(channels, dims), nn.Linear(dims, dims, bias=False)
        self.centred = nn.BatchNorm1d(dims, affine=False)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """maps: an encoder's blocks, each (B, C, h, w) -> (B, dims) float32 of length 1."""
        return F.normalize(self.centred(self.second(F.relu(self.first(maps[-1].amax(dim=(2, 3)).float())))), dim=1)


class AVENet(Method):
    """Differs from the paper in the networks below the embedding, which take standardised pictures and sounds
    (`StandardisedConvNet`, `SpectrogramNet`); in that volume is not changed, of which standardising leaves nothing but
    near silence; in that brightness and saturation are not changed either; in crops of random size and aspect, where
    the paper's have one size; in the optimiser that params.yaml names, AdamW with a rate that is not a staircase; in
    the embedding's normalisation; where `negatives` says so; and in that frames are cropped around the main object
    where a dataset knows its box and `around` says so, as the stills of image methods are: on whole frames of an
    earlier toyworld accuracy was at chance after 800 steps, around objects at 61 %.
    """

    table = "clips"
    streams = ("frames", "spectrogram")
    annotations = ("boxes",)
    answers = ("correspondence",)
    ranges: ClassVar = {
        "dims": (1, 65536),
        "grid": (0.001, 10),
        "around": (1, 100),
    }

    def __init__(
        self,
        *,
        vision: Encoder,
        sound: Encoder,
        dims: int,
        negatives: Literal["one", "all"],
        grid: float,
        around: tuple[float, float] | None,
        crop: RandomCrop,
    ) -> None:
        """vision, sound: encoders of one frame and of a stretch of spectrogram.
        dims: of the embeddings; 128 in the paper.
        negatives: one, the sound of the batch's next clip for each frame, as many as there are positives, as in the
        paper; all, the sounds of every other clip of the batch, positives and negatives weighing the same.
        grid: seconds; sound begins at multiples of it, one frame's time: see `pair_times`.
        around: least and greatest side of the square around the box, in longer sides of the box: drawn evenly in
        training, their mean when asked. null: whole frames, as in the paper.
        crop: from that square.
        """
        super().__init__()
        self.vision, self.sound = vision, sound
        self.vision_embedding = Embedding(vision.channels[-1], dims)
        self.sound_embedding = Embedding(sound.channels[-1], dims)
        self.answer = nn.Linear(1, 2)
        with torch.no_grad():
            # The nearer the likelier, from the first step on: with the other sign the embeddings learn to be opposite.
            # Neutral a little below the distance of orthogonal vectors, which is about that of all pairs at first.
            self.answer.weight.copy_(torch.tensor([[STEEPNESS], [-STEEPNESS]]))
            self.answer.bias.copy_(torch.tensor([-STEEPNESS * NEUTRAL, STEEPNESS * NEUTRAL]))
        self.negatives = negatives
        self.grid = grid
        self.around = around
        self.crop = crop

    def draw(self, table: Table, indices: Tensor, generator: Generator, progress: Progress) -> Draw:
        """indices: (B,) into `clips` -> a frame and a stretch of sound of each that overlap; probes draw by it too."""
        window = self.sound.windows["spectrogram"]
        # From the beginning of the first step to the end of the last.
        seconds = window.seconds * window.steps / (window.steps - 1)
        frames, sounds = pair_times(table, indices, generator, seconds=seconds, grid=self.grid)
        shown = frames[:, None]
        times: dict[str, Tensor | Span] = {"frames": shown, "boxes": shown, "spectrogram": Span(sounds, window.steps)}
        return Draw(indices, table["row"][indices], times)

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Pairs:
        """frames (B, 1, 3, H, H) uint8, boxes (B, 1, 4), spectrogram (B, T, 257) -> images and sounds."""
        frames = batch.streams["frames"]
        if self.around is not None:
            least, greatest = self.around
            around = least + (greatest - least) * torch.rand(len(frames), generator=generator, device=frames.device)
            frames = object_crop(frames, batch.streams["boxes"][:, 0], around)
        images = self.crop(self.vision.prepare({"frames": frames}), generator)
        return Pairs(images, self.sound.prepare(batch.streams), batch.parents)

    def loss(self, views: Pairs) -> dict[str, Tensor]:
        """Cross-entropy of matching or not, half of the weight on each (the paper draws as many of both)."""
        pictures, sounds = self.vision.blocks(views.images), self.sound.blocks(views.sounds)
        # In bf16 the cosine below 1 is 2^-8 less: too coarse for the distances of what is alike.
        with torch.autocast(views.images.device.type, enabled=False):
            return {
                "correspondence": self._correspondence(
                    self.vision_embedding(pictures), self.sound_embedding(sounds), views.parents
                )
            }

    def _correspondence(self, seen: Tensor, heard: Tensor, parents: Tensor) -> Tensor:
        """seen, heard: (B, dims), those of one clip at the same place. parents: (B,) int64 -> a scalar."""
        matching = self.logits(seen, heard)
        if self.negatives == "one":
            mismatched = self.logits(seen, heard.roll(1, dims=0))
            # A long film is several entries: two of them may be neighbours.
            apart = parents != parents.roll(1, dims=0)
        else:
            mismatched = self.logits(seen[:, None], heard[None, :]).flatten(0, 1)
            apart = (parents[:, None] != parents[None, :]).flatten()
        negative = F.cross_entropy(
            mismatched, mismatched.new_zeros(len(mismatched), dtype=torch.long), reduction="none"
        )
        positive = F.cross_entropy(matching, matching.new_ones(len(matching), dtype=torch.long))
        return (positive + (negative * apart).sum() / apart.sum().clamp(min=1)) / 2

    def embed_frames(self, frames: Tensor, boxes: Tensor) -> Tensor:
        """frames: (B, 1, 3, H, H) uint8. boxes: (B, 1, 4) shares of the picture. -> (B, dims) of length 1."""
        if self.around is not None:
            around = torch.full((len(frames),), sum(self.around) / 2, device=frames.device)
            frames = object_crop(frames, boxes[:, 0], around)
        embedded: Tensor = self.vision_embedding(self.vision.blocks(self.vision.prepare({"frames": frames})))
        return embedded

    def embed_sounds(self, spectrogram: Tensor) -> Tensor:
        """spectrogram: (B, T, 257) log magnitude -> (B, dims) of length 1."""
        embedded: Tensor = self.sound_embedding(self.sound.blocks(self.sound.prepare({"spectrogram": spectrogram})))
        return embedded

    def logits(self, seen: Tensor, heard: Tensor) -> Tensor:
        """Embeddings (..., dims) of length 1 -> (..., 2): of different clips, of the same."""
        # Of unit vectors; the root has no gradient where its argument is 0.
        distance = (2 - 2 * (seen * heard).sum(dim=-1)).clamp(min=1e-6).sqrt()
        answered: Tensor = self.answer(distance[..., None])
        return answered
