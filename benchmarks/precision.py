"""Pretraining in bf16 against the same in fp32, on this machine's CPU.

    python benchmarks/precision.py

The loop of every run, with methods, networks, batches and crops of the default scale and its optimiser; pictures and
sounds are noise and always the same, so that nothing is decoded. What counts is the time on a processor, with one
thread, without the first steps. Rounds go through both, and the ratio is the median of the rounds', so that other work
on the machine disturbs both alike. Prints a table in Markdown.
"""

import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from selfsup.methods.audiovisual.supervised_sound import SupervisedSound
from selfsup.methods.image.supervised import Supervised
from selfsup.methods.method import Method
from selfsup.methods.video.supervised import SupervisedVideo
from selfsup.networks.convnet import ConvNet
from selfsup.networks.per_frame import PerFrameConvNet
from selfsup.networks.spectrogram_net import SpectrogramNet
from selfsup.source import Batch, Draw, Table
from selfsup.training import Schedule, build, pretrain, resolved_precision
from selfsup.training.precision import Precision

ROUNDS, STEPS, WARM = 5, 8, 4
WIDTHS, CLASSES = [32, 64, 128, 256], 10
CROP = {"scale": (0.7, 1.0), "flip": 0.5}


class Repeated:
    """A source whose every batch is the same."""

    def __init__(self, streams: dict[str, Tensor]) -> None:
        self.streams = streams
        count = len(next(iter(streams.values())))
        seconds = torch.zeros(count, dtype=torch.float64)
        self.table: Table = {"row": torch.arange(count), "time": seconds, "start": seconds, "end": seconds + 2}
        self.labels = {"label": torch.arange(count) % CLASSES}
        self.classes = {"label": [str(number) for number in range(CLASSES)]}

    def take(self, draw: Draw) -> Batch:
        return Batch(draw.indices, draw.rows, draw.rows, self.streams, self.labels)


def cases() -> dict[str, tuple[Callable[[], Method], Repeated]]:
    """By name: what makes a method, and what it draws."""
    of_stills = {"encoder": (ConvNet, {"widths": WIDTHS, "side": 64})}
    window = {"frames": 8, "seconds": 1.84, "contrast": 2.0, "stabilised": True}
    of_clips = {"encoder": (PerFrameConvNet, {"widths": WIDTHS, "side": 32, **window})}
    of_sounds = {"encoder": (SpectrogramNet, {"widths": WIDTHS[:-1], "seconds": 1.0, "pool": 8})}
    stills = torch.randint(256, (128, 1, 3, 64, 64), dtype=torch.uint8)
    clips = torch.randint(256, (32, 8, 3, 64, 64), dtype=torch.uint8)
    sounds = torch.randn(64, 200, 257) * 2 - 6
    return {
        "128 stills of 64 px": (
            partial(build, Supervised, {"label": "label", "crop": {**CROP, "ratio": (0.75, 1.3333)}}, of_stills, 0),
            Repeated({"frames": stills}),
        ),
        "32 clips of 8 frames of 32 px": (
            partial(build, SupervisedVideo, {"label": "label", "crop": {**CROP, "ratio": (0.9, 1.1)}}, of_clips, 0),
            Repeated({"frames": clips}),
        ),
        "64 sounds of 1 s": (
            partial(build, SupervisedSound, {"label": "label"}, of_sounds, 0),
            Repeated({"spectrogram": sounds}),
        ),
    }


def milliseconds(method: Method, source: Repeated, precision: Precision) -> float:
    """A step, on a processor."""
    schedule = Schedule(
        steps=WARM + STEPS,
        batch_size=len(source.table["row"]),
        optimiser="adamw",
        learning_rate=0.002,
        momentum=0.9,
        weight_decay=0.05,
        warmup_steps=0,
        decay="cosine",
        decay_at=(),
        decay_factor=1.0,
        precision=precision,
        log_every=WARM + STEPS,
        checkpoint_every=0,
        watch_every=0,
    )
    moments = []
    pretrain(method, source, schedule, 0, "cpu", on_step=lambda _: moments.append(time.process_time()))
    return (moments[-1] - moments[WARM - 1]) / STEPS * 1000


def processor() -> str:
    """Its name, where the system tells."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(
        f"{processor()}, torch {torch.__version__}, one thread; `auto` means {resolved_precision('auto', 'cpu')} here\n"
    )
    print("| a step with | fp32, ms | bf16, ms | bf16 / fp32 |\n| --- | ---: | ---: | ---: |")
    for name, (make, source) in cases().items():
        rounds = np.array([[milliseconds(make(), source, one) for one in ("fp32", "bf16")] for _ in range(ROUNDS)])
        fp32, bf16 = np.median(rounds, axis=0)
        print(f"| {name} | {fp32:.0f} | {bf16:.0f} | {np.median(rounds[:, 1] / rounds[:, 0]):.2f} |")


if __name__ == "__main__":
    main()
