"""Random numbers that follow from a seed, a purpose and a step: nothing has to be kept of a generator's state."""

from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

import numpy as np
import torch


def derived_seed(seed: int, purpose: str, index: int = 0) -> int:
    """A seed for one purpose at one step or epoch, unrelated to those of the others."""
    return int(np.random.SeedSequence((seed, crc32(purpose.encode()), index)).generate_state(1, np.uint64)[0] >> 1)


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """torch's global generators, seeded inside and as they were afterwards."""
    on_cuda = torch.device(device).type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):
        reseed_global(seed, device)
        yield


def reseed_global(seed: int, device: str) -> None:
    """Both generators that a layer on `device` may draw from."""
    # Not torch.manual_seed: where CUDA is there but not in use, that queues a call, with its stack, at every step.
    torch.default_generator.manual_seed(seed)
    if torch.device(device).type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
