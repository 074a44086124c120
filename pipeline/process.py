"""Settings of processes: where rules find their programs, and what must be set before torch is imported.

Measured on 2 cores: binding prevents random 4-15x stalls of 2-thread runs.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.machine import cores_are_own, take_gpu
from pipeline.memory import keep_memory


def rules_use_this_environment() -> None:
    """Rules call `python`: make it that of the environment that Snakemake runs in, here and in a cluster's jobs."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def prepare(threads: int) -> None:
    """Fix the number of threads (results depend on it) and, where they own the machine, bind them."""
    assert "torch" not in sys.modules, "torch was imported before its process was prepared"
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    # Left to itself OpenBLAS takes one thread or all, as the binding below decides: results would follow the machine.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # Several processes that bind would all bind to the same cores: only one that has just its own cores may.
    if cores_are_own(threads):
        os.environ["OMP_PROC_BIND"] = "true"
    keep_memory()
    import torch

    torch.set_num_threads(threads)
    # The same as torch.use_deterministic_algorithms, which imports the compiler first: two seconds, in vain for a job
    # that makes no optimiser (an optimiser imports it too).
    torch.set_deterministic_debug_mode("warn")
    # Else every tensor that is about to be written is filled first: 7 to 10 % of a training step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def device(wanted: str) -> str:
    """`auto` is the GPU where there is one; of several, one that few of our jobs use becomes torch's own `cuda`. Raises
    UserError for a GPU that is asked for and not there."""
    import torch

    from pipeline.errors import UserError

    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserError("params.yaml: device: expected a CUDA device, found none; set it to auto or cpu")
    found = ("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted
    if found == "cuda" and torch.cuda.device_count() > 1:
        torch.cuda.set_device(take_gpu(torch.cuda.device_count()))
    return found


@contextmanager
def enough_memory(otherwise: str) -> Iterator[None]:
    """Where an allocation fails inside, raises UserError. otherwise: what it says: which number to change."""
    from pipeline.errors import UserError

    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(otherwise) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, in Python, in torch on a CPU, or on a GPU."""
    import torch

    # On a CPU torch raises a plain RuntimeError; on a GPU one of its own.
    texts = ("can't allocate memory", "std::bad_alloc")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(text in str(error) for text in texts)
