"""A clip of noise with a silhouette that moves through it."""

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.shortcuts.values import Clip

SIDE, COUNT, RATE = 32, 12, 200.0
MakeClip = Callable[[int], Clip]


@pytest.fixture(scope="session")
def make_clip() -> MakeClip:
    """From a seed: 12 frames of 32 px in just under a second, a square of 12 px cut out."""

    def clip(seed: int) -> Clip:
        rng = np.random.default_rng(seed)
        visible = np.ones((COUNT, SIDE, SIDE), bool)
        for frame in range(COUNT):
            visible[frame, 8:20, frame : frame + 13] = False
        return Clip(
            frames=rng.integers(0, 255, (COUNT, SIDE, SIDE, 3), dtype=np.uint8),
            flow=(rng.integers(-20, 20, (COUNT, SIDE // 2, SIDE // 2, 2)) / 8).astype(np.float32),
            spectrogram=rng.normal(-5, 2, (round(COUNT * 0.08 * RATE), 257)).astype(np.float32),
            rate=RATE,
            times=np.arange(COUNT) * 0.08,
            visible=visible,
            centre=rng.random((COUNT, 2)),
        )

    return clip
