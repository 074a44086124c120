"""How fast toyworld's clips come, at the sizes of the default scale: drawing, sound, annotations and encoding, and
encoding alone of the same clips beside it. Processes are as many as cores; each number is the best of three runs.

    python benchmarks/render.py [CLIPS]
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.datasets.toyworld import Toyworld
from pipeline.datasets.toyworld.encode import write_clip
from pipeline.parameters import read_parameters

WARM = 20  # clips that come before the clock starts: processes load their modules meanwhile
ENCODED = 8  # different clips of which encoding alone takes turns


def rate(make: Callable[[], Any], frames: int) -> float:
    """Frames a second of an iterator's clips after the first."""
    best = 0.0
    for _ in range(3):
        moments = [time.perf_counter() for _ in make()]
        best = max(best, (len(moments) - WARM) * frames / (moments[-1] - moments[WARM - 1]))
    return best


def encode_one(world: Toyworld, folder: Path, frames: Any, sounds: Any, number: int) -> None:
    place = number % len(frames)
    write_clip(folder / f"{number}.mp4", frames[place], sounds[place], world.fps, world.sample_rate)


def main() -> None:
    clips = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    settings = read_parameters().scales["default"].datasets["toyworld"]
    world = replace(Toyworld(**settings), clips={"train": clips})
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = rate(partial(world.make, folder, workers), world.frames)
        rendered = [world.render("train", number) for number in range(ENCODED)]
        one = partial(
            encode_one,
            world,
            folder,
            np.stack([clip.picture.frames for clip in rendered]),
            np.stack([clip.sound for clip in rendered]),
        )
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=cv2.setNumThreads, initargs=(0,)) as pool:
            alone = rate(lambda: pool.map(one, range(clips), chunksize=4), world.frames)
    print(f"{workers} processes, {clips} clips of {world.frames} frames of {world.side} px")
    print(f"rendered, annotated and encoded  {whole:7.0f} frames/s")
    print(f"encoded alone                    {alone:7.0f} frames/s")
    print(f"of encoding alone                {whole / alone:7.2f}")


if __name__ == "__main__":
    main()
