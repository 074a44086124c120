"""How long and how to optimise."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Generator, Tensor, nn

from selfsup.source import TooLittleData
from selfsup.training.lars import LARS
from selfsup.training.precision import PRECISIONS, Precision
from selfsup.training.seeds import derived_seed

TRUST = 0.001
"""LARS' trust coefficient in SimCLR's code."""


@dataclass(frozen=True)
class Schedule:
    """How long and how to optimise. Raises ValueError for values that cannot be meant."""

    steps: int
    batch_size: int
    """Entries drawn from the row table each step; a method may make several views of each."""
    optimiser: Literal["sgd", "adamw", "lars"]
    learning_rate: float
    momentum: float
    """Of SGD and LARS, without Nesterov's variant; AdamW's first beta."""
    weight_decay: float
    """Of weight matrices and kernels only: biases and the scales and shifts of normalisations are left alone."""
    warmup_steps: int
    """The rate rises linearly over these, to its full value at the last of them."""
    decay: Literal["cosine", "step"]
    """cosine: to zero, for the step after the last. step: times `decay_factor` at each of `decay_at`."""
    decay_at: tuple[float, ...]
    """Fractions of all steps; for `step` only."""
    decay_factor: float
    precision: Precision
    log_every: int
    checkpoint_every: int
    """Steps from one checkpoint to the next, if somebody takes them; 0: none."""
    watch_every: int
    """Steps from one look at the encoders to the next, and one after the last, if there is a watch; 0: none."""

    def __post_init__(self) -> None:
        """Refuse what would otherwise be read as something else, or fail after hours."""
        choices = {"optimiser": ("sgd", "adamw", "lars"), "decay": ("cosine", "step"), "precision": PRECISIONS}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"schedule: {name} must be {' or '.join(allowed)}, not {getattr(self, name)!r}")
        for name in ("steps", "batch_size", "log_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"schedule: {name} must be at least 1, not {getattr(self, name)}")
        for name in ("checkpoint_every", "watch_every"):
            if getattr(self, name) < 0:
                raise ValueError(f"schedule: {name} must be 0 for never, or more, not {getattr(self, name)}")
        if not 0 <= self.warmup_steps < self.steps:
            raise ValueError(f"schedule: warmup_steps must be fewer than the {self.steps} steps: {self.warmup_steps}")

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from zero."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        if self.decay == "cosine":
            fraction = (step - self.warmup_steps) / (self.steps - self.warmup_steps)
            return self.learning_rate * 0.5 * (1 + math.cos(math.pi * fraction))
        passed = sum(step >= fraction * self.steps for fraction in self.decay_at)
        return self.learning_rate * self.decay_factor**passed


def batches(size: int, schedule: Schedule, seed: int, first: int) -> Iterator[tuple[int, Tensor]]:
    """Steps from `first` on, each with its entries (B,): an epoch is a permutation cut into whole batches, its
    remainder left out, so that no batch holds an entry twice (it would be its own negative in a contrastive loss).
    Raises ValueError for fewer than `batch_size` entries.
    """
    if size < schedule.batch_size:
        raise ValueError(
            f"a batch of {schedule.batch_size} is more than the {size} entries of the row table: "
            f"set batch_size to {size} or less, or use more data"
        )
    steps_an_epoch = size // schedule.batch_size
    for step in range(first, schedule.steps):
        epoch, position = divmod(step, steps_an_epoch)
        if position == 0 or step == first:
            order = torch.randperm(size, generator=Generator().manual_seed(derived_seed(seed, "epoch", epoch)))
        yield step, order[position * schedule.batch_size : (position + 1) * schedule.batch_size]


def with_smaller_batches(schedule: Schedule, size: int) -> Schedule:
    """The schedule, with batches of `size` entries where it asks for more. Raises TooLittleData for fewer than two:
    neither batch normalisation nor a contrast makes anything of one."""
    if size < 2:
        raise TooLittleData(f"training takes two entries or more: there {'is 1' if size == 1 else 'are none'}")
    return replace(schedule, batch_size=min(schedule.batch_size, size))


def optimiser(parameters: list[nn.Parameter], schedule: Schedule) -> torch.optim.Optimizer:
    """One group of parameters with what the schedule says of it."""
    # Everything with one dimension is a bias or belongs to a normalisation.
    kernels = [parameter for parameter in parameters if parameter.ndim > 1]
    others = [parameter for parameter in parameters if parameter.ndim <= 1]
    split: list[dict[str, Any]] = [
        {"params": kernels, "weight_decay": schedule.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if schedule.optimiser == "lars":
        for group, adapted in zip(split, (True, False), strict=True):
            group["adapted"] = adapted
        return LARS(split, lr=schedule.learning_rate, momentum=schedule.momentum, trust=TRUST)
    if schedule.optimiser == "sgd":
        return torch.optim.SGD(split, lr=schedule.learning_rate, momentum=schedule.momentum)
    return torch.optim.AdamW(split, lr=schedule.learning_rate, betas=(schedule.momentum, 0.999))
