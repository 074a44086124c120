"""The training loop against a bare loop of forward, backward and optimiser step on views that were made beforehand.

    python benchmarks/loop.py
    python benchmarks/loop.py --widths 32 64 128 256 --side 64 --batch 128      # a larger network: a smaller share

Both train the same network on the same batch with the same optimiser. The loop does beside that what it does at every
step of every run: an epoch's order, seeds, a draw, a look at whether losses are finite, rates, sums, rows. What a
method takes for its views and a source for its pictures is theirs, not the loop's, so here both come ready. What counts
is the time on a processor, with one thread, in a process that keeps its memory as every job does. Rounds go through
both, in turns as to which is first, and the ratio is the median of the rounds', so that other work on the machine
disturbs both alike. Prints a table in Markdown, with the ratios' quartiles.
"""

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from pipeline.memory import keep_memory
from selfsup.methods.method import Method, Progress
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder
from selfsup.networks.heads import PooledClassifier
from selfsup.source import Batch, Draw, Table
from selfsup.training import Schedule, build, pretrain
from selfsup.training.schedule import optimiser

CLASSES = 4


class Premade(Method):
    """A classifier of views that are always the same."""

    table = "frames"
    streams = ()

    def __init__(self, *, encoder: Encoder, images: Tensor, labels: Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = PooledClassifier(encoder, classes=CLASSES)
        self.images, self.labels_of = images, labels

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> tuple[Tensor, Tensor]:
        return self.images, self.labels_of

    def loss(self, views: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        images, labels = views
        return {"label": F.cross_entropy(self.head(self.encoder.blocks(images)), labels)}


class Rows:
    """A source of rows without pictures."""

    def __init__(self, count: int) -> None:
        self.table: Table = {"row": torch.arange(count), "time": torch.zeros(count, dtype=torch.float64)}
        self.classes: dict[str, list[str]] = {}

    def take(self, draw: Draw) -> Batch:
        return Batch(draw.indices, draw.rows, draw.rows, {}, {})


def bare(method: Method, images: Tensor, labels: Tensor, schedule: Schedule) -> None:
    """As a tutorial has it."""
    for module in method.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
    one = optimiser(list(method.parameters()), schedule)
    method.train()
    for _ in range(schedule.steps):
        loss = method.loss((images, labels))["label"]
        one.zero_grad(set_to_none=True)
        loss.backward()
        one.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--batch", type=int, default=128, help="pictures: the smoke scale's, of rotation")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    generator = Generator().manual_seed(0)
    images = torch.randn(given.batch, 3, given.side, given.side, generator=generator)
    labels = torch.randint(CLASSES, (given.batch,), generator=generator)
    schedule = Schedule(
        steps=given.steps,
        batch_size=given.batch,
        optimiser="adamw",
        learning_rate=0.002,
        momentum=0.9,
        weight_decay=0.05,
        warmup_steps=5,
        decay="cosine",
        decay_at=(),
        decay_factor=1.0,
        precision="fp32",
        log_every=10,
        checkpoint_every=0,
        watch_every=0,
    )
    source = Rows(5000)

    def fresh() -> Method:
        networks = {"encoder": (ConvNet, {"widths": given.widths, "side": given.side})}
        return build(Premade, {"images": images, "labels": labels}, networks, 0)

    loops: dict[str, Callable[[], object]] = {
        "bare loop": lambda: bare(fresh(), images, labels, schedule),
        "pretrain": lambda: pretrain(fresh(), source, schedule, 0, "cpu"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for loop in loops.values():
        loop()
    for number in range(given.rounds):
        for name, loop in sorted(loops.items(), reverse=bool(number % 2)):
            before = time.process_time()
            loop()
            seconds[name].append(time.process_time() - before)
    print(
        f"convnet {given.widths} at {given.side} px, batches of {given.batch}, {given.steps} steps a round, "
        f"{given.rounds} rounds. One thread; {platform.machine()}, torch {torch.__version__}.\n"
    )
    print("| loop | CPU time, bare loop = 1 | quartiles | ms a step |\n| --- | ---: | ---: | ---: |")
    for name, taken in seconds.items():
        low, ratio, high = np.quantile(np.divide(taken, seconds["bare loop"]), (0.25, 0.5, 0.75))
        print(f"| {name} | {ratio:.3f} | {low:.3f} to {high:.3f} | {1000 * min(taken) / given.steps:.2f} |")


if __name__ == "__main__":
    main()
