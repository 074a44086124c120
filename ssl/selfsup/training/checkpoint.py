"""Everything that moves while a method trains, as tensors by name and plain values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from selfsup.methods.method import Method

METHOD, OPTIMISER = "method", "optimiser"

LogRow = dict[str, float]
"""step (done), images (drawn so far), learning_rate (of the last step), each loss by name: its mean over the steps
since the row before; and, in rows at which the encoders were watched, what the watch measured."""


@dataclass(frozen=True)
class Checkpoint:
    """A run after `step` steps. Random numbers follow from the seed and the step, so there is nothing of them.

    tensors: on the CPU; `method/NAME` for parameters and buffers, `optimiser/GROUP/NAME/KEY` for what an optimiser
    keeps of a parameter. rows: the log so far. sums: of each loss over the steps since `logged`.
    """

    step: int
    logged: int
    rows: list[LogRow]
    sums: dict[str, float]
    tensors: Mapping[str, Tensor]


@dataclass
class Run:
    """A method that is being trained. sums: on its device, of each loss since `logged`; `checked`: up to which step the
    losses are known to be finite."""

    method: Method
    optimisers: Mapping[str, torch.optim.Optimizer]
    step: int = 0
    logged: int = 0
    checked: int = 0
    rows: list[LogRow] = field(default_factory=list)
    sums: dict[str, Tensor] = field(default_factory=dict)


def take(run: Run) -> Checkpoint:
    """A copy, which training on does not change. Raises TypeError for an optimiser's state that is no tensor."""
    tensors = {f"{METHOD}/{name}": value for name, value in _named(run.method)}
    for group, name, key, value in _kept(run):
        if not isinstance(value, Tensor):
            raise TypeError(f"the optimiser of {group} keeps {key} of {name}, which is no tensor: {value!r}")
        tensors[f"{OPTIMISER}/{group}/{name}/{key}"] = value
    return Checkpoint(
        run.step,
        run.logged,
        list(run.rows),
        {name: total.item() for name, total in run.sums.items()},
        # Written row by row: a file knows no other order.
        {name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in tensors.items()},
    )


def restore(checkpoint: Checkpoint, run: Run, device: str) -> None:
    """Put a run where the checkpoint was taken. Raises ValueError for one of another method or optimiser."""
    own = {f"{METHOD}/{name}": value for name, value in _named(run.method)}
    given = {name: value for name, value in checkpoint.tensors.items() if name.startswith(f"{METHOD}/")}
    if own.keys() != given.keys() or any(own[name].shape != given[name].shape for name in own):
        wrong = sorted(own.keys() ^ given.keys()) or [name for name in own if own[name].shape != given[name].shape]
        raise ValueError(f"the checkpoint is of another method: {wrong[0]} differs; delete it and train anew")
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(given[name])
    for group, optimiser in run.optimisers.items():
        _restore_optimiser(checkpoint, group, optimiser, _names(run.method))
    run.step = run.checked = checkpoint.step
    run.logged, run.rows = checkpoint.logged, list(checkpoint.rows)
    run.sums = {
        name: torch.tensor(total, dtype=torch.float32, device=device) for name, total in checkpoint.sums.items()
    }


def _restore_optimiser(
    checkpoint: Checkpoint, group: str, optimiser: torch.optim.Optimizer, names: Mapping[Tensor, str]
) -> None:
    parameters = [parameter for one in optimiser.param_groups for parameter in one["params"]]
    numbers = {f"{OPTIMISER}/{group}/{names[parameter]}": number for number, parameter in enumerate(parameters)}
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in checkpoint.tensors.items():
        parameter_name, _, key = name.rpartition("/")
        if parameter_name in numbers:
            number = numbers[parameter_name]
            like = parameters[number]
            # In the parameter's own memory format, as the optimiser made it: kernels round as the format has it.
            copy = torch.empty_like(like if value.shape == like.shape else value, device="cpu", dtype=value.dtype)
            state.setdefault(number, {})[key] = copy.copy_(value)
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _named(method: Method) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers, of which those too that `state_dict` leaves out."""
    yield from method.named_parameters()
    yield from method.named_buffers()


def _names(method: Method) -> dict[Tensor, str]:
    return {parameter: name for name, parameter in method.named_parameters()}


def _kept(run: Run) -> Iterator[tuple[str, str, str, object]]:
    """Group, parameter's name, key, value."""
    names = _names(run.method)
    for group, optimiser in run.optimisers.items():
        for parameter, state in optimiser.state.items():
            for key, value in state.items():
                if value is not None:
                    yield group, names[parameter], key, value
