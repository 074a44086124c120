"""One method, one source, one schedule: the loop."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from typing import Any, get_type_hints

import torch
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Source, Table
from selfsup.training import checkpoint
from selfsup.training.checkpoint import Checkpoint, LogRow, Run
from selfsup.training.precision import autocast
from selfsup.training.schedule import Schedule, batches, optimiser, with_smaller_batches
from selfsup.training.seeds import derived_seed, reseed_global, seeded

Watch = Callable[[Mapping[str, Encoder], str], LogRow]
"""Looks at the encoders, in evaluation mode, on a device: numbers for the log. Training does not depend on it."""


class NonFiniteLoss(ValueError):
    """A loss, or a weight, became infinite or not a number."""


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
    arguments = built_arguments(method_class, arguments)
    with seeded(derived_seed(seed, "weights"), "cpu"):
        encoders = {name: network_class(**given) for name, (network_class, given) in networks.items()}
        return method_class(**encoders, **arguments)


def built_arguments(owner: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """arguments: as params.yaml has them. Mappings become the dataclass (`RandomCrop`) that the constructor of `owner`
    asks for."""
    hints = get_type_hints(owner.__init__ if isinstance(owner, type) else owner)  # type: ignore[misc]
    built = dict(arguments)
    for name, value in arguments.items():
        if is_dataclass(hints.get(name)) and isinstance(value, Mapping):
            built[name] = hints[name](**value)
    return built


def pretrain(
    method: Method,
    source: Source,
    schedule: Schedule | None,
    seed: int,
    device: str,
    on_log: Callable[[LogRow], None] | None = None,
    *,
    on_step: Callable[[int], None] | None = None,
    on_checkpoint: Callable[[Checkpoint], None] | None = None,
    resume: Checkpoint | None = None,
    watch: Watch | None = None,
    smaller_batches: bool = False,
) -> list[LogRow]:
    """Train in place; the method ends in evaluation mode, on `device`. Without a schedule it is only fitted, its
    weights those that it was initialised with.

    Equal seeds give equal weights, bit for bit, on a CPU with the same number of threads, whether the run went through
    or was resumed from a checkpoint of it. Every step's random numbers follow from (seed, step) and an epoch's order
    from (seed, epoch), never from what was drawn before. `on_step` is called with the steps done, `on_log` with each
    row as it comes, `on_checkpoint` every `checkpoint_every` steps before the last, `watch` every `watch_every` steps
    and after the last. smaller_batches: where the data are fewer than a batch, they are one; else that is an error.

    Raises ValueError for data smaller than a batch, for a schedule of a method that has nothing to train, for losses
    that do not match the groups of parameters and for a checkpoint of another method; NonFiniteLoss for a loss or
    weight that is not finite: on a CPU at its step, before the weights follow it, elsewhere when a row or a checkpoint
    is due. No checkpoint holds such weights.
    """
    method.to(device)
    # What fit makes may be modules with weights of their own: seeded too.
    with seeded(derived_seed(seed, "fit"), device):
        table = method.fit(source, Generator().manual_seed(derived_seed(seed, "fit")))
    method.to(device)
    if schedule is None:
        method.eval()
        return []
    if not method.trains:
        raise ValueError(f"{type(method).__name__} does not train: it takes no schedule")
    if smaller_batches:
        schedule = with_smaller_batches(schedule, len(table["row"]))
    _channels_last(method)
    groups = method.groups()
    run = Run(method, {group: optimiser(parameters, schedule) for group, parameters in groups.items()})
    if resume is not None:
        checkpoint.restore(resume, run, device)
    method.train()
    # Forked once more, so that what draws from the global generator (dropout) neither depends on it nor moves it.
    with seeded(seed, device):
        for done in _steps(run, groups, source, table, schedule, seed, device):
            watching = watch is not None and _is_due(schedule.watch_every, done, schedule.steps)
            if watching or done % schedule.log_every == 0 or done == schedule.steps:
                row = _row(run, schedule)
                if watch is not None and watching:
                    with _looked_at(method), seeded(derived_seed(seed, "watch"), device):
                        row |= watch(method.encoders(), device)
                run.rows.append(row)
                if on_log is not None:
                    on_log(row)
            if on_checkpoint is not None and done < schedule.steps and _is_due(schedule.checkpoint_every, done):
                _check(run, schedule)
                on_checkpoint(checkpoint.take(run))
            if on_step is not None:
                on_step(done)
    method.eval()
    return run.rows


def _steps(
    run: Run,
    groups: Mapping[str, list[nn.Parameter]],
    source: Source,
    table: Table,
    schedule: Schedule,
    seed: int,
    device: str,
) -> Iterator[int]:
    """Train, and yield after each step how many are done."""
    method, kind = run.method, torch.device(device).type
    trained = [parameter for parameters in groups.values() for parameter in parameters]
    rates = method.rates()
    drawing, viewing = Generator(), Generator(device)
    for step, indices in batches(len(table["row"]), schedule, seed, run.step):
        drawing.manual_seed(derived_seed(seed, "draw", step))
        viewing.manual_seed(derived_seed(seed, "views", step))
        reseed_global(derived_seed(seed, "global", step), device)

        progress = Progress(step, schedule.steps)
        batch = source.take(method.draw(table, indices, drawing, progress)).to(device)
        with torch.no_grad():
            views = method.views(batch, viewing, progress)
        with autocast(schedule.precision, device):
            losses = method.loss(views)
        if kind == "cpu":
            named = {f"the loss {name}": loss for name, loss in losses.items()}
            _must_be_finite(named, method, step + 1, step + 1, schedule.steps)
            run.checked = step + 1

        totals = _by_group(losses, groups)
        # Not method.zero_grad, which goes through all modules: gradients reach these alone.
        for parameter in trained:
            parameter.grad = None
        for position, (group, total) in enumerate(totals.items(), start=1):
            # A group's loss reaches its own parameters only, though an adversary's passes through the other's.
            torch.autograd.backward(total, inputs=groups[group], retain_graph=position < len(totals))
        rate = schedule.rate(step)
        for group, one in run.optimisers.items():
            for parameter_group in one.param_groups:
                parameter_group["lr"] = rate * rates.get(group, 1.0)
            one.step()
        run.step = step + 1
        method.after_step(views, Progress(run.step, schedule.steps))

        # Summed on the device and read when a row is due: to read them at every step would stall a GPU. A sum is finite
        # only if every loss in it was.
        for name, loss in losses.items():
            value = loss.detach().float()
            run.sums[name] = run.sums[name] + value if name in run.sums else value
        yield run.step


def _row(run: Run, schedule: Schedule) -> LogRow:
    _check(run, schedule)
    means = {name: total.item() / (run.step - run.logged) for name, total in run.sums.items()}
    run.sums, run.logged = {}, run.step
    images = run.step * schedule.batch_size
    return {"step": run.step, "images": images, "learning_rate": schedule.rate(run.step - 1), **means}


def _check(run: Run, schedule: Schedule) -> None:
    """A device waits here, once a row or checkpoint."""
    values = {f"the loss {name}": total for name, total in run.sums.items()}
    # What the last step's gradients have made of the weights no loss has shown yet.
    groups = [group for one in run.optimisers.values() for group in one.param_groups]
    sums = [parameter.detach().sum().float() for group in groups for parameter in group["params"]]
    values["a weight"] = torch.stack(sums).sum()
    _must_be_finite(values, run.method, min(run.checked + 1, run.step), run.step, schedule.steps)
    run.checked = run.step


def _must_be_finite(values: Mapping[str, Tensor], method: Method, first: int, last: int, steps: int) -> None:
    """values: scalars by what they are, of the steps from first to last."""
    wrong = [name for name, value in values.items() if not math.isfinite(value.item())]
    if wrong:
        where = f"step {last}" if first == last else f"steps {first} to {last}"
        raise NonFiniteLoss(
            f"{type(method).__name__}: {' and '.join(wrong)} became infinite or not a number in {where} of {steps}; "
            f"lower the learning rate, or use precision fp32"
        )


def _is_due(every: int, done: int, last: int | None = None) -> bool:
    return every > 0 and (done % every == 0 or done == last)


@contextmanager
def _looked_at(method: Method) -> Iterator[None]:
    """Evaluation mode inside; afterwards every module is in the mode that it was in."""
    modes = [(module, module.training) for module in method.modules()]
    method.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def _channels_last(method: Method) -> None:
    """The faster layout for convolutions on CPUs and on tensor cores."""
    for module in method.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.to(memory_format=torch.channels_last)


def _by_group(losses: Mapping[str, Tensor], groups: Mapping[str, list[nn.Parameter]]) -> dict[str, Tensor]:
    totals: dict[str, Tensor] = {}
    for name, loss in losses.items():
        group = name.split("/")[0] if "/" in name else "main"
        totals[group] = totals[group] + loss if group in totals else loss
    if totals.keys() != groups.keys():
        raise ValueError(f"losses are for the groups {sorted(totals)}, the parameters' groups are {sorted(groups)}")
    return totals
