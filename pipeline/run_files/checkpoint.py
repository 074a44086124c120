"""A run's checkpoint on disk: safetensors, the plain values as JSON in its header."""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from pipeline.files import written
from pipeline.run_files.weights import write_state
from selfsup.training import Checkpoint


def write_checkpoint(path: Path, checkpoint: Checkpoint, belongs: str) -> None:
    """belongs: what tells the run from any other (parameters, code, data, seed, versions). Raises OSError."""
    values = json.dumps(
        {"step": checkpoint.step, "logged": checkpoint.logged, "rows": checkpoint.rows, "sums": checkpoint.sums}
    )
    digest = _digest(values, checkpoint.tensors)
    with written(path) as temporary:
        write_state(dict(checkpoint.tensors), temporary, {"values": values, "belongs": belongs, "digest": digest})


def read_checkpoint(path: Path, belongs: str) -> Checkpoint | None:
    """None where there is none, and, with a line on standard error that says why, for one that is damaged or of another
    run."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        values = json.loads(header["values"])
        if header["digest"] != _digest(header["values"], tensors):
            raise ValueError("its bytes are not those that were written")
        checkpoint = Checkpoint(values["step"], values["logged"], values["rows"], values["sums"], tensors)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        problem = str(error).strip().splitlines()[0]
        _say(f"{path}: not a readable checkpoint ({problem}); training starts anew")
        return None
    if header["belongs"] != belongs:
        _say(f"{path}: of other parameters, code, data or versions than those here; training starts anew")
        return None
    _say(f"{path}: training goes on after step {checkpoint.step}")
    return checkpoint


def _digest(values: str, tensors: Mapping[str, Tensor]) -> str:
    """A damaged tensor would be read without a complaint: safetensors checks the header alone."""
    sums = hashlib.md5(values.encode())
    for name in sorted(tensors):
        sums.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        sums.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return sums.hexdigest()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
