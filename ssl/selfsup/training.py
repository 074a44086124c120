"""The training loop, written once for every method."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

import numpy as np
import torch
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Source, Table

LogRow = dict[str, float]
"""step (done), images (drawn so far), learning_rate (of the last step), and each loss by name: its mean over the steps
since the row before."""


@dataclass(frozen=True)
class Schedule:
    """How long and how to optimise. Raises ValueError for values that cannot be meant."""

    steps: int
    batch_size: int
    """Entries drawn from the row table each step; a method may make several views of each."""
    optimiser: Literal["sgd", "adamw"]
    learning_rate: float
    momentum: float
    """Of SGD, without Nesterov's variant; AdamW's first beta."""
    weight_decay: float
    """Of weight matrices and kernels only: biases and the scales and shifts of normalisations are left alone."""
    warmup_steps: int
    """The rate rises linearly over these, to its full value at the last of them."""
    decay: Literal["cosine", "step"]
    """cosine: to zero, for the step after the last. step: times `decay_factor` at each of `decay_at`."""
    decay_at: tuple[float, ...]
    """Fractions of all steps; for `step` only."""
    decay_factor: float
    precision: Literal["fp32", "bf16"]
    """bf16: autocast of the loss's forward pass; weights and views stay fp32. For GPUs: on a CPU without bf16
    arithmetic it is slower, measured at two to three times fp32's time for a step of `convnet` on two AVX2 cores."""
    log_every: int

    def __post_init__(self) -> None:
        """Refuse what would otherwise be read as something else, or fail after hours."""
        choices = {"optimiser": ("sgd", "adamw"), "decay": ("cosine", "step"), "precision": ("fp32", "bf16")}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"schedule: {name} must be {' or '.join(allowed)}, not {getattr(self, name)!r}")
        for name in ("steps", "batch_size", "log_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"schedule: {name} must be at least 1, not {getattr(self, name)}")
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


class NonFiniteLoss(ValueError):
    """A loss became infinite or not a number; the weights are lost."""


def build(
    method_class: Callable[..., Method],
    arguments: Mapping[str, Any],
    networks: Mapping[str, tuple[Callable[..., Encoder], Mapping[str, Any]]],
    seed: int,
) -> Method:
    """A method with its encoders, on the CPU, its weights drawn from `seed` alone; no global generator moves.

    networks: by the constructor's keyword, each encoder's class and arguments. Weights are drawn in this order, the
    method's own last, so that changing a method's head leaves its encoders' first weights as they are.
    """
    with _seeded(derived_seed(seed, "weights"), "cpu"):
        encoders = {name: network_class(**given) for name, (network_class, given) in networks.items()}
        return method_class(**encoders, **arguments)


def pretrain(
    method: Method,
    source: Source,
    schedule: Schedule | None,
    seed: int,
    device: str,
    on_log: Callable[[LogRow], None] | None = None,
) -> list[LogRow]:
    """Train in place; the method ends in evaluation mode, on `device`. A method that does not train is only fitted.

    Equal seeds give equal weights, bit for bit, on a CPU with the same number of threads. Every step's random numbers
    follow from (seed, step) and an epoch's order from (seed, epoch), never from what was drawn before. `on_log` is
    called with each row as it comes. Raises ValueError for data smaller than a batch and for losses that do not match
    the groups of parameters, NonFiniteLoss for a loss that is not finite.
    """
    method.to(device)
    # What fit makes may be modules with weights of their own: seeded too.
    with _seeded(derived_seed(seed, "fit"), device):
        table = method.fit(source, Generator().manual_seed(derived_seed(seed, "fit")))
    method.to(device)
    if not method.trains:
        method.eval()
        return []
    if schedule is None:
        raise ValueError(f"{type(method).__name__} trains and needs a schedule")
    # Forked once more, so that what draws from the global generator (dropout) neither depends on it nor moves it.
    with _seeded(seed, device):
        rows = _loop(method, source, table, schedule, seed, device, on_log)
    method.eval()
    return rows


def _loop(
    method: Method,
    source: Source,
    table: Table,
    schedule: Schedule,
    seed: int,
    device: str,
    on_log: Callable[[LogRow], None] | None,
) -> list[LogRow]:
    groups = method.groups()
    optimisers = {group: _optimiser(parameters, schedule) for group, parameters in groups.items()}
    drawing, viewing = Generator(), Generator(device)
    rows: list[LogRow] = []
    sums: dict[str, Tensor] = {}
    logged = 0
    method.train()
    for step, indices in enumerate(_batches(len(table["row"]), schedule, seed)):
        drawing.manual_seed(derived_seed(seed, "draw", step))
        viewing.manual_seed(derived_seed(seed, "views", step))
        _reseed_global(derived_seed(seed, "global", step), device)

        progress = Progress(step, schedule.steps)
        batch = source.take(method.draw(table, indices, drawing, progress)).to(device)
        with torch.no_grad():
            views = method.views(batch, viewing, progress)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=schedule.precision == "bf16"):
            losses = method.loss(views)

        totals = _by_group(losses, groups)
        method.zero_grad(set_to_none=True)
        for position, (group, total) in enumerate(totals.items(), start=1):
            # A group's loss reaches its own parameters only, though an adversary's passes through the other's.
            torch.autograd.backward(total, inputs=groups[group], retain_graph=position < len(totals))
        rate = schedule.rate(step)
        for optimiser in optimisers.values():
            for parameter_group in optimiser.param_groups:
                parameter_group["lr"] = rate
            optimiser.step()
        done = step + 1
        method.after_step(views, Progress(done, schedule.steps))

        # Summed on the device and read when a row is due: to read them at every step would stall a GPU. A sum is finite
        # only if every loss in it was.
        for name, loss in losses.items():
            sums[name] = sums[name] + loss.detach().float() if name in sums else loss.detach().float()
        if done % schedule.log_every == 0 or done == schedule.steps:
            means = {name: total.item() / (done - logged) for name, total in sums.items()}
            wrong = [name for name, mean in means.items() if not math.isfinite(mean)]
            if wrong:
                raise NonFiniteLoss(
                    f"{type(method).__name__}: the loss {' and '.join(wrong)} became infinite or not a number in steps "
                    f"{logged + 1} to {done} of {schedule.steps}; lower the learning rate, or use precision fp32"
                )
            row = {"step": done, "images": done * schedule.batch_size, "learning_rate": rate, **means}
            rows.append(row)
            if on_log is not None:
                on_log(row)
            sums, logged = {}, done
    return rows


def derived_seed(seed: int, purpose: str, index: int = 0) -> int:
    """A seed for one purpose at one step or epoch, unrelated to those of the others."""
    return int(np.random.SeedSequence((seed, crc32(purpose.encode()), index)).generate_state(1, np.uint64)[0] >> 1)


@contextmanager
def _seeded(seed: int, device: str) -> Iterator[None]:
    """torch's global generators, seeded inside and as they were afterwards."""
    on_cuda = torch.device(device).type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):
        _reseed_global(seed, device)
        yield


def _reseed_global(seed: int, device: str) -> None:
    # Not torch.manual_seed: where CUDA is there but not in use, that queues a call, with its stack, at every step.
    torch.default_generator.manual_seed(seed)
    if torch.device(device).type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


def _batches(size: int, schedule: Schedule, seed: int) -> Iterator[Tensor]:
    """Indices (B,) for each step: an epoch is a permutation cut into whole batches, its remainder left out, so that no
    batch holds an entry twice (it would be its own negative in a contrastive loss).
    """
    if size < schedule.batch_size:
        raise ValueError(
            f"a batch of {schedule.batch_size} is more than the {size} entries of the row table: "
            f"set batch_size to {size} or less, or use more data"
        )
    steps_an_epoch = size // schedule.batch_size
    for step in range(schedule.steps):
        epoch, position = divmod(step, steps_an_epoch)
        if position == 0:
            order = torch.randperm(size, generator=Generator().manual_seed(derived_seed(seed, "epoch", epoch)))
        yield order[position * schedule.batch_size : (position + 1) * schedule.batch_size]


def _optimiser(parameters: list[nn.Parameter], schedule: Schedule) -> torch.optim.Optimizer:
    # Everything with one dimension is a bias or belongs to a normalisation.
    split = [
        {
            "params": [parameter for parameter in parameters if parameter.ndim > 1],
            "weight_decay": schedule.weight_decay,
        },
        {"params": [parameter for parameter in parameters if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    if schedule.optimiser == "sgd":
        return torch.optim.SGD(split, lr=schedule.learning_rate, momentum=schedule.momentum)
    return torch.optim.AdamW(split, lr=schedule.learning_rate, betas=(schedule.momentum, 0.999))


def _by_group(losses: Mapping[str, Tensor], groups: Mapping[str, list[nn.Parameter]]) -> dict[str, Tensor]:
    totals: dict[str, Tensor] = {}
    for name, loss in losses.items():
        group = name.split("/")[0] if "/" in name else "main"
        totals[group] = totals[group] + loss if group in totals else loss
    if totals.keys() != groups.keys():
        raise ValueError(f"losses are for the groups {sorted(totals)}, the parameters' groups are {sorted(groups)}")
    return totals
