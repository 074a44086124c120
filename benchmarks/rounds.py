"""Ways of doing the same, timed against each other: each in a process of its own, in rounds that take turns.

A way is a function that prepares its work and returns a round of it, a function that returns how many images it did.
On a quiet machine images a second are what counts. Where other work keeps it busy, images a second of processor time
say more, with one thread: threads that wait for each other spend processor time too. Either ratio is the median over
rounds, each to the peer's same round.
"""

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import process

SECONDS = 0.7  # that a round lasts at least
CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()

Way = Callable[[], Callable[[], int]]


@dataclass(frozen=True)
class Took:
    """Of one round: images, seconds by the clock, seconds of processors, those of the process's children included."""

    images: int
    wall: float
    processor: float


def processor_seconds() -> float:
    used = time.process_time()
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def serve(way: Way, threads: int | None, connection: Connection) -> None:
    """In a process of its own: a round for every word that comes, until there comes none. threads: with the settings
    that every job of the pipeline has, or None: as Python starts it."""
    if threads is not None:
        process.prepare(threads)
    one = way()
    one()
    connection.send(None)
    while connection.recv():
        images, began, used = 0, time.perf_counter(), processor_seconds()
        while time.perf_counter() - began < SECONDS:
            images += one()
        connection.send(Took(images, time.perf_counter() - began, processor_seconds() - used))


@contextmanager
def started(way: Way, threads: int | None) -> Iterator[Callable[[], Took]]:
    """A function that has a round done. threads: see `serve`."""
    ours, theirs = get_context("spawn").Pipe()
    child = get_context("spawn").Process(target=partial(serve, way, threads, theirs))
    child.start()
    theirs.close()
    ours.recv()

    def take_round() -> Took:
        ours.send(True)
        return ours.recv()

    yield take_round
    ours.send(False)
    child.join()


def on_any_core(worker: int) -> None:
    """Workers would inherit the one core that their parent's first thread is bound to."""
    if CORES:
        os.sched_setaffinity(0, CORES)


WORKERS = 2
LOADER: dict[str, Any] = {
    "num_workers": WORKERS,
    "persistent_workers": True,
    "worker_init_fn": on_any_core,
    # As anywhere on Linux; in a process that was spawned it would not be the default.
    "multiprocessing_context": "fork" if sys.platform == "linux" else None,
}
"""Of a DataLoader."""
# Which counts the cores that its own thread is bound to, and warns of more workers.
warnings.filterwarnings("ignore", message="This DataLoader will create")


def compare(rounds: list[dict[str, Took]], ours: str, *, each: bool = False) -> None:
    """Prints a table in Markdown, and ours to the best peer's (or to each), by the clock and by processor time."""
    rates = {
        kind: {name: np.array([took[name].images / getattr(took[name], kind) for took in rounds]) for name in rounds[0]}
        for kind in ("wall", "processor")
    }
    print("| way | images/s | images/s of one processor |\n| --- | ---: | ---: |")
    for name in rounds[0]:
        print(f"| {name} | {np.median(rates['wall'][name]):.0f} | {np.median(rates['processor'][name]):.0f} |")
    print()
    for kind, means in (("wall", "by the clock"), ("processor", "by processor time")):
        peers = sorted((name for name in rounds[0] if name != ours), key=lambda name: -np.median(rates[kind][name]))
        for peer in peers if each else peers[:1]:
            ratios = rates[kind][ours] / rates[kind][peer]
            print(f"{means}: {np.median(ratios):.2f} times {peer} ({ratios.min():.2f} to {ratios.max():.2f})")


def machine(threads: int, *packages: str) -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in packages)
    return f"{len(CORES) or os.cpu_count()} cores ({[*names, 'unknown'][0]}), threads: {threads}; {versions}"


def textured(count: int, side: int) -> np.ndarray:
    """(count, side, side, 3) uint8: coloured clouds with sharp squares on them."""
    import cv2

    rng = np.random.default_rng(0)
    images = np.empty((count, side, side, 3), np.uint8)
    for image in images:
        clouds = cv2.GaussianBlur(rng.normal(size=(side, side, 3)), (0, 0), 3)
        image[:] = cv2.normalize(clouds, None, 20, 230, cv2.NORM_MINMAX)
        top, left = rng.integers(side // 2, size=2)
        image[top : top + side // 3, left : left + side // 4] = rng.integers(256, size=3)
    return images
