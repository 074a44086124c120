"""A step of pretraining in bf16 against the same step in fp32, on this machine's CPU.

    python benchmarks/precision.py

Methods, networks and batches are those of the default scale, pictures and sounds are noise; a step is views, forward
and backward pass and optimiser. What counts is the time on a processor, with one thread. Rounds go through both, and
the ratio is the median of the rounds', so that other work on the machine disturbs both alike. Prints a table in
Markdown.
"""

import platform
import time

import numpy as np
import torch
from torch import Generator, Tensor

from selfsup.methods.method import Method, Progress
from selfsup.methods.reference import Supervised, SupervisedSound, SupervisedVideo
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder
from selfsup.networks.per_frame import PerFrameConvNet
from selfsup.networks.spectrogram_net import SpectrogramNet
from selfsup.source import Batch, Draw, Table
from selfsup.training.precision import Precision, arithmetic, autocast

ROUNDS, STEPS, WARM = 5, 8, 4
WIDTHS, CLASSES = [32, 64, 128, 256], 10
PICTURES = {"crop_scale": (0.7, 1.0), "crop_ratio": (0.75, 1.3333), "flip": 0.5}


class Labels:
    """A `Source` of nothing but the names of classes."""

    def __init__(self) -> None:
        self.table: Table = {"row": torch.arange(1)}
        self.classes = {"label": [str(number) for number in range(CLASSES)]}

    def take(self, draw: Draw) -> Batch:
        raise NotImplementedError


def cases() -> dict[str, tuple[Method, dict[str, Tensor], int]]:
    """By name: a method, the streams of a batch, how many entries it has."""
    frames = torch.randint(256, (128, 1, 3, 64, 64), dtype=torch.uint8)
    clips = torch.randint(256, (32, 8, 3, 64, 64), dtype=torch.uint8)
    sounds = torch.randn(64, 200, 257) * 2 - 6
    several = PerFrameConvNet(widths=WIDTHS, side=32, frames=8, seconds=1.84, contrast=2.0, stabilised=True)
    hearing: Encoder = SpectrogramNet(widths=WIDTHS[:-1], seconds=1.0, pool=8)
    return {
        "stills, 128 of 64 px": (
            Supervised(encoder=ConvNet(widths=WIDTHS, side=64), label="label", **PICTURES),
            {"frames": frames},
            128,
        ),
        "clips, 32 of 8 frames of 32 px": (
            SupervisedVideo(encoder=several, label="label", **PICTURES),
            {"frames": clips},
            32,
        ),
        "sounds, 64 of 1 s": (SupervisedSound(encoder=hearing, label="label"), {"spectrogram": sounds}, 64),
    }


def seconds(method: Method, batch: Batch, precision: Precision) -> float:
    """On a processor, for STEPS steps."""
    parameters = [one for group in method.groups().values() for one in group]
    optimiser = torch.optim.AdamW(parameters, lr=1e-4)
    generator = Generator().manual_seed(0)
    for step in range(WARM + STEPS):
        if step == WARM:
            started = time.process_time()
        with torch.no_grad():
            views = method.views(batch, generator, Progress(step, WARM + STEPS))
        with autocast(precision, "cpu"):
            loss = sum(method.loss(views).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return time.process_time() - started


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, one thread; ", end="")
    print(f"`auto` means {arithmetic('auto', 'cpu')} here\n")
    print("| a step of | fp32, ms | bf16, ms | bf16 / fp32 |\n| --- | ---: | ---: | ---: |")
    for name, (method, streams, count) in cases().items():
        method.fit(Labels(), Generator())
        method.train()
        entries = torch.arange(count)
        batch = Batch(entries, entries, entries, streams, {"label": entries % CLASSES})
        rounds = np.array([[seconds(method, batch, one) for one in ("fp32", "bf16")] for _ in range(ROUNDS)])
        fp32, bf16 = np.median(rounds, axis=0) / STEPS * 1000
        print(f"| {name} | {fp32:.0f} | {bf16:.0f} | {np.median(rounds[:, 1] / rounds[:, 0]):.2f} |")


if __name__ == "__main__":
    main()
