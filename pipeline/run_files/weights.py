"""A pretrained method on disk: which weights go where, and reading an encoder back."""

import errno
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pipeline.errors import UserError
from selfsup.class_path import METHODS, NETWORKS, load
from selfsup.methods.method import Method
from selfsup.networks.encoder import Encoder
from selfsup.training import built_arguments


@dataclass(frozen=True)
class Outcome:
    """What became of a run. trained: whether a schedule was gone through; else its weights are those that it was
    initialised with. refused: why the data did not allow the run, None if they did."""

    trained: bool
    refused: str | None


def split_state(state: dict[str, Tensor], encoders: list[str]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A method's state -> that of its encoders, and the rest.

    A single encoder's keys are its network's own, so that they load into it as they are; of several, each begins with
    the encoder's name."""
    of_encoders = {key: value for key, value in state.items() if key.split(".")[0] in encoders}
    rest = {key: value for key, value in state.items() if key not in of_encoders}
    if len(encoders) == 1:
        of_encoders = {key.removeprefix(f"{encoders[0]}."): value for key, value in of_encoders.items()}
    return of_encoders, rest


def write_state(state: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Raises OSError where the disk does not take it, which safetensors reports in its own way."""
    try:
        save_file(state, path, metadata)
    except SafetensorError as error:
        raise OSError(errno.EIO, f"cannot be written ({error})", str(path)) from error


def read_encoders(path: Path) -> dict[str, Encoder]:
    """A method's encoders by name, whose weights a file holds, in evaluation mode. Raises UserError for a file that is
    damaged."""
    state, described = _read(path)
    try:
        networks: dict[str, dict[str, Any]] = json.loads(described["networks"])
        encoders = {}
        for role, arguments in networks.items():
            encoder: Encoder = load(f"{NETWORKS}.{arguments.pop('network')}")(**arguments)
            prefix = f"{role}." if len(networks) > 1 else ""
            own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
            encoder.load_state_dict(own)
            encoders[role] = encoder.eval()
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(path, error) from None
    return encoders


def read_method(weights: Path, heads: Path) -> Method:
    """The whole method, with the heads of its pretext task, in evaluation mode; what `fit` made must be in its
    constructor. Raises UserError for a file that is damaged."""
    encoders = read_encoders(weights)
    state, described = _read(heads)
    try:
        made = json.loads(described["method"])
        method_class = load(f"{METHODS}.{made['name']}")
        method: Method = method_class(**encoders, **built_arguments(method_class, made["arguments"]))
        whole = state | {
            f"{role}.{key}": value for role, encoder in encoders.items() for key, value in encoder.state_dict().items()
        }
        method.load_state_dict(whole)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(heads, error) from None
    return method.eval()


def outcome(heads: Path) -> Outcome:
    """What became of the run whose heads a file holds. Raises UserError for a damaged file."""
    _, described = _read(heads)
    try:
        made = json.loads(described["method"])
        return Outcome(made["trained"], made.get("refused"))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(heads, error) from None


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            described = file.metadata() or {}
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path}` makes it") from None
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from None
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise UserError(f"{path}: holds weights that are not finite; delete it and run again")
    return state, described


def _damaged(path: Path, error: Exception) -> UserError:
    problem = str(error).strip().splitlines()[0]
    return UserError(f"{path}: not a readable checkpoint ({problem}); delete it and run again")
