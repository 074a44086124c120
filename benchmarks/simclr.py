"""SimCLR's two-view training, images a second: this project's loop and views against lightly's, in one run.

    python benchmarks/simclr.py
    python benchmarks/simclr.py --side 32      # views as the pipeline's clips have them: a smaller share of the network

The same ConvNet (widths 32, 64, 128, 256), projection head, memory-mapped images of 64 px, batches of 128, SGD and
fp32. lightly is used as its documentation has it: SimCLRTransform in a DataLoader's two workers, over PIL pictures that
need no decoding here, and NTXentLoss; once as Python starts it, and once with the pipeline's settings of a process
(threads bound, memory kept). See `rounds` for how time is measured. An image counts once, not once a view.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from rounds import LOADER, WORKERS, Way, compare, machine, started, textured

IMAGES, STORED, BATCH = 1024, 64, 128
WIDTHS, PROJECTION, TEMPERATURE = [32, 64, 128, 256], 128, 0.5
RATE, MOMENTUM = 0.05, 0.9
OURS = "ours"


def ours(path: Path, side: int) -> Callable[[], int]:
    import torch
    import torch.nn.functional as F
    from torch import Generator, Tensor

    from selfsup.methods.method import Method, Progress
    from selfsup.networks.convnet import ConvNet
    from selfsup.source import Batch, Draw, Table
    from selfsup.training import Schedule, pretrain
    from selfsup.views.blur import random_sigmas
    from selfsup.views.colour import colour_jitter
    from selfsup.views.geometry import random_resized_crop_flip

    class Images:
        """A source of memory-mapped bytes."""

        classes = {}  # noqa: RUF012

        def __init__(self) -> None:
            self.images = np.load(path, mmap_mode="r")
            rows = torch.arange(len(self.images))
            self.table: Table = {"row": rows, "time": torch.zeros(len(rows), dtype=torch.float64)}

        def take(self, draw: Draw) -> Batch:
            frames = torch.from_numpy(self.images[draw.rows.numpy()]).permute(0, 3, 1, 2)[:, None]
            return Batch(draw.indices, draw.rows, parents=draw.rows, streams={"frames": frames}, labels={})

    class SimCLR(Method):
        table = "frames"
        streams = ("frames",)

        def __init__(self) -> None:
            super().__init__()
            self.encoder = ConvNet(widths=WIDTHS, side=side)
            self.head = projection(WIDTHS[-1])

        def view(self, frames: Tensor, generator: Generator) -> Tensor:
            sigmas = random_sigmas(len(frames), generator, sigma=(0.1, 2.0), probability=0.5)
            images = random_resized_crop_flip(
                frames, generator, scale=(0.08, 1), ratio=(3 / 4, 4 / 3), flip=0.5, side=side, sigmas=sigmas
            )
            return colour_jitter(
                images,
                generator,
                brightness=0.4,
                contrast=0.4,
                saturation=0.4,
                hue=0.1,
                probability=0.8,
                grayscale=0.2,
            )

        def views(self, batch: Batch, generator: Generator, progress: Progress) -> Tensor:
            """frames (B, 1, 3, side, side) uint8 -> (2B, 3, side, side)."""
            frames = batch.streams["frames"][:, 0]
            return torch.cat([self.view(frames, generator) for _ in range(2)])

        def loss(self, views: Tensor) -> dict[str, Tensor]:
            """Equation 1: which of the other 2B - 1 views is of the same image."""
            embedded = F.normalize(self.head(self.encoder.blocks(views)[-1].mean(dim=(2, 3))))
            similarities = embedded @ embedded.T / TEMPERATURE
            similarities = similarities.fill_diagonal_(-torch.inf)
            same = torch.arange(len(views)).roll(len(views) // 2)
            return {"contrast": F.cross_entropy(similarities, same)}

    torch.manual_seed(0)
    source, method = Images(), SimCLR()
    steps = IMAGES // BATCH
    schedule = Schedule(
        steps=steps,
        batch_size=BATCH,
        optimiser="sgd",
        learning_rate=RATE,
        momentum=MOMENTUM,
        weight_decay=0.0,
        warmup_steps=0,
        decay="step",
        decay_at=(),
        decay_factor=1.0,
        precision="fp32",
        log_every=steps,
        checkpoint_every=0,
        watch_every=0,
    )

    def one() -> int:
        pretrain(method, source, schedule, seed=0, device="cpu")
        return steps * BATCH

    return one


def projection(width: int):
    """Section 2.1: a hidden layer as wide as what it projects."""
    from torch import nn

    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, PROJECTION))


class Pictures:
    """A map-style dataset of pairs of views."""

    def __init__(self, path: Path, side: int) -> None:
        from lightly.transforms import SimCLRTransform

        self.images = np.load(path, mmap_mode="r")
        # Normalised to [-1, 1], as the encoder takes it.
        half = {"mean": [0.5] * 3, "std": [0.5] * 3}
        self.transform = SimCLRTransform(input_size=side, cj_strength=0.5, sigmas=(0.1, 2.0), normalize=half)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int):
        from PIL import Image

        return self.transform(Image.fromarray(self.images[index]))


def lightly(path: Path, side: int) -> Callable[[], int]:
    import torch
    from lightly.loss import NTXentLoss
    from torch import nn
    from torch.utils.data import DataLoader

    from selfsup.networks.convnet import ConvNet

    torch.manual_seed(0)
    encoder = ConvNet(widths=WIDTHS, side=side)
    head = projection(WIDTHS[-1])
    parameters = nn.ModuleList([encoder, head]).parameters()
    criterion = NTXentLoss(temperature=TEMPERATURE)
    optimiser = torch.optim.SGD(parameters, lr=RATE, momentum=MOMENTUM)
    pairs = DataLoader(
        Pictures(path, side),
        BATCH,
        shuffle=True,
        drop_last=True,
        **LOADER,
    )

    def one() -> int:
        for views in pairs:
            first, second = (head(encoder.blocks(view)[-1].mean(dim=(2, 3))) for view in views)
            loss = criterion(first, second)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return len(pairs) * BATCH

    return one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2, help="1 on a busy machine")
    parser.add_argument("--side", type=int, default=STORED, help="px, of a view")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as processes:
        path = Path(folder) / "images.npy"
        np.save(path, textured(IMAGES, STORED))
        peer = partial(lightly, path, given.side)
        ways: dict[str, tuple[Way, int | None]] = {
            OURS: (partial(ours, path, given.side), given.threads),
            f"lightly, {WORKERS} workers": (peer, None),
            f"lightly, {WORKERS} workers, in our process settings": (peer, given.threads),
        }
        print(
            f"Batches of {BATCH} pairs of {given.side} px from images of {STORED} px; "
            f"{machine(given.threads, 'torch', 'lightly')}.\n",
            flush=True,
        )
        running = {name: processes.enter_context(started(*one)) for name, one in ways.items()}
        compare([{name: take() for name, take in running.items()} for _ in range(given.rounds)], OURS, each=True)


if __name__ == "__main__":
    main()
