"""What this machine has for jobs to share: cores, memory, GPUs. Snakemake's global resources follow it.

Without them Snakemake starts a job a core: sixteen of 2.5 GB on a laptop of 16 cores and 32 GB, and on a GPU as many.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

SHARE = 0.9
"""Of the memory, that jobs may ask for together: the system and Snakemake take the rest."""
MEGABYTE = 10**6
PLACES = 64
"""On a GPU, at most: more jobs than anybody starts."""


def cores_are_own(threads: int) -> bool:
    """Whether this process may run on no more cores than it has threads. macOS has no such limits."""
    return hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) <= threads


def memory() -> int:
    """Bytes that this process and its children may take: the machine's, or less where a cgroup says so (containers,
    systemd, a cluster's job)."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([whole, *cgroup_limits(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))])


def cgroup_limits(own: Path, mounted: Path) -> list[int]:
    """Bytes, of every group that the process is in and that has a limit. own: /proc/self/cgroup; mounted: where the
    groups are seen. A container sees its own group as the root."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    found = []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and "memory" not in controllers.split(","):
            continue
        top, name = (mounted / "memory", "memory.limit_in_bytes") if controllers else (mounted, "memory.max")
        group = top / path.lstrip("/")
        for folder in [group, *group.parents]:
            if folder.is_relative_to(top) and (file := folder / name).is_file():
                found += [int(text) for text in [file.read_text().strip()] if text.isdigit()]
    return found


def gpus() -> int:
    """How many of NVIDIA's GPUs jobs may use, without importing torch: Snakemake asks whenever it starts."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.partition("-1")[0].split(",") if name.strip()])
    if not shutil.which("nvidia-smi"):
        return 0
    done = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines())


def resources(device: str, jobs_per_gpu: int, count: Callable[[], int] = gpus) -> dict[str, int]:
    """Snakemake's global resources for jobs on this machine. `gpu` counts places on GPUs: `jobs_per_gpu` on each. There
    is none where no job will use one. A job that asks for more memory than there is gets all of it, and runs alone."""
    found = {"mem_mb": int(SHARE * memory() / MEGABYTE)}
    if device != "cpu" and (places := count() * jobs_per_gpu):
        found["gpu"] = places
    return found


def gpu_of_a_job(device: str, offered: int) -> int:
    """What a job that computes asks for. offered: the global resource `gpu`, of this machine or of a cluster's profile:
    `auto` takes a GPU where there are any."""
    return int(device == "cuda" or (device == "auto" and offered > 0))


_held: list[IO[str]] = []
"""Locks that this process holds until it ends."""


def take_gpu(count: int, folder: Path | None = None) -> int:
    """Which of `count` GPUs this process is to use: that with the fewest of our jobs. A job holds a place, a locked
    file, so that jobs that start together part, and one that is killed frees its own. How many share one is not said
    here: Snakemake starts no more than there are places."""
    locks = folder or Path(tempfile.gettempdir()) / f"selfsup-gpus-{os.getuid()}"
    locks.mkdir(exist_ok=True)
    for place in range(PLACES):
        for gpu in range(count):
            lock = (locks / f"{gpu}-{place}").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            _held.append(lock)
            return gpu
    return 0
