"""A pretrained method on disk: which weights go where, and reading an encoder back."""

import errno
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pipeline.errors import UserError
from selfsup.networks import NETWORKS
from selfsup.networks.encoder import Encoder
from selfsup.registry import load


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


def read_encoder(path: Path) -> Encoder:
    """The encoder whose weights a file holds, in evaluation mode. Raises UserError for a file that is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            [arguments] = json.loads(file.metadata()["networks"]).values()
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        name = arguments.pop("name")
        encoder: Encoder = load(NETWORKS, name)(**arguments)
        encoder.load_state_dict(state)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path}` makes it") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        problem = str(error).strip().splitlines()[0]
        raise UserError(f"{path}: not a readable checkpoint ({problem}); delete it and run again") from None
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise UserError(f"{path}: holds weights that are not finite; delete it and run again")
    return encoder.eval()
