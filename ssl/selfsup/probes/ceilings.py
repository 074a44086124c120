"""What a small network learns when it is told the labels, beside the same network untrained: what is there to be
learned, and how much of it is there for nothing.

The encoders are those of `selfsup.networks.convnet`: on one picture, on several pictures of a clip, on a spectrogram.
"""

from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from selfsup.methods.image.supervised import Labelled, Supervised
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder, Window, window_times
from selfsup.networks.preparation import single_image
from selfsup.source import Batch, Draw, Source, Table
from selfsup.views.geometry import RandomCrop

POOLED = 4  # bins, and steps, of a spectrogram that are averaged into one pixel
CONTRAST = 2  # by which what differs from a clip's mean picture is enlarged: it spans less than the picture does
LOUDER = 0.5  # of the log magnitude: a change of volume by a factor of up to 1.6, so that level is not the label


class _TwoPictures(ConvNet):
    """One that takes two pictures, one behind the other."""

    IN = 6


def with_motion(pictures: Tensor) -> Tensor:
    """pictures: (B, T, 3, h, w) -> (B, T, 6, h, w): behind each what differs in it from the mean of the T, enlarged by
    `CONTRAST`."""
    return torch.cat([pictures, CONTRAST * (pictures - pictures.mean(dim=1, keepdim=True))], dim=2)


class Frames(Encoder):
    """A convnet on each of several pictures of a clip, which sees beside each picture what differs in it from the mean
    of them all: who acts is small, and without that the loss stood at chance after 400 steps of 32 clips."""

    streams = ("frames",)

    def __init__(self, *, widths: list[int], side: int, window: Window, ordered: bool) -> None:
        """ordered: maps of the pictures follow each other as channels; otherwise they are averaged, and no answer can
        depend on the pictures' order."""
        super().__init__()
        self.net = _TwoPictures(widths=widths, side=side)
        self.windows = {"frames": window}
        self.ordered = ordered

    @property
    def channels(self) -> list[int]:
        """Of each picture's block, times the pictures where they are in order."""
        return [width * (self.windows["frames"].steps if self.ordered else 1) for width in self.net.widths]

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, T, 3, H, H) uint8 -> (B, T * 3, side, side) in [-1, 1], so that all are cropped alike."""
        frames = streams["frames"]
        batch, steps = frames.shape[:2]
        images = single_image(frames.flatten(0, 1)[:, None], self.net.side)
        return images.reshape(batch, steps * 3, *images.shape[2:])

    def blocks(self, x: Tensor) -> list[Tensor]:
        """x: (B, T * 3, side, side) -> maps (B, T * C, h, w), or (B, C, h, w)."""
        batch, _, height, width = x.shape
        pictures = with_motion(x.reshape(batch, -1, 3, height, width))
        maps = []
        for one in self.net.blocks(pictures.flatten(0, 1)):
            apart = one.reshape(batch, -1, *one.shape[1:])
            maps.append(apart.flatten(1, 2) if self.ordered else apart.mean(dim=1))
        return maps


class Sound(Encoder):
    """A convnet on a log-spectrogram, made `POOLED` times smaller both ways."""

    streams = ("spectrogram",)

    def __init__(self, *, widths: list[int], side: int, window: Window) -> None:
        super().__init__()
        self.net = ConvNet(widths=widths, side=side)
        self.windows = {"spectrogram": window}

    @property
    def channels(self) -> list[int]:
        """The convnet's."""
        return self.net.channels

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """spectrogram: (B, T, 257) -> (B, 3, 64, T / 4), three times the same picture, roughly in [-1, 1]."""
        # Without the lowest bin, which holds no tone.
        loud = streams["spectrogram"][:, :, 1:].transpose(1, 2)[:, None]
        return torch.nn.functional.avg_pool2d(loud / 6 + 1, POOLED).expand(-1, 3, -1, -1)

    def blocks(self, x: Tensor) -> list[Tensor]:
        """x: (B, 3, 64, T / 4) -> the convnet's maps."""
        return self.net.blocks(x)


class SupervisedWindows(Supervised):
    """`Supervised` with an encoder that takes a window of a clip: pictures cropped and mirrored alike, sound at another
    volume."""

    table = "clips"

    def __init__(self, *, encoder: Encoder, label: str, crop_scale: tuple[float, float], jitter: float) -> None:
        """jitter: seconds by which the window's centre is off the clip's, at most."""
        super().__init__(encoder=encoder, label=label, crop=RandomCrop(crop_scale, (0.9, 1.1), 0.5))
        self.jitter = jitter

    def draw(self, table: Table, indices: Tensor, generator: Generator, progress: Progress) -> Draw:
        """indices: (B,) into `clips`."""
        shift = (2 * torch.rand(len(indices), generator=generator, dtype=torch.float64) - 1) * self.jitter
        return windows(self.encoder, table, indices, shift)

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Labelled:
        """The window of each clip -> what the encoder takes, labels (B,)."""
        if "frames" in batch.streams:
            return super().views(batch, generator, progress)
        pictures = self.encoder.prepare(batch.streams)
        volume = (2 * torch.rand(len(pictures), 1, 1, 1, generator=generator, device=pictures.device) - 1) * LOUDER
        return Labelled(pictures + volume / 6, batch.labels[self.label])


def windows(encoder: Encoder, table: Table, indices: Tensor, shift: Tensor) -> Draw:
    """What an encoder takes around the middle of clips, shifted by `shift` (B,) seconds."""
    centres = (table["start"][indices] + table["end"][indices]) / 2 + shift
    times = {stream: window_times(centres, window) for stream, window in encoder.windows.items()}
    return Draw(indices, table["row"][indices], times)


@torch.no_grad()
def answers(method: Supervised, source: Source, device: str) -> tuple[Tensor, Tensor]:
    """Of every entry of a source of the table `clips`: the class that the method says (N,), and the true one (N,)."""
    count = len(source.table["row"])
    said, true = [], []
    for indices in torch.split(torch.arange(count), 64):
        batch = source.take(windows(method.encoder, source.table, indices, torch.zeros(len(indices)))).to(device)
        logits = method.head(method.encoder.blocks(method.encoder.prepare(batch.streams)))
        said.append(logits.argmax(dim=1).cpu())
        true.append(batch.labels[method.label].cpu())
    return torch.cat(said), torch.cat(true)
