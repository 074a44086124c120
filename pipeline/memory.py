"""How a process takes memory from the system: how much at most, and how eagerly it gives it back.

A glibc that neither maps large blocks anew nor trims is worth 1.2-1.3x where arrays come and go. With one heap for all
threads: each thread's own would keep what another one needs (supervised_video, 120 steps: 2.4 GB, with one 1.2 GB, in
the same time).
"""

import ctypes
import resource
import sys
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
LARGE = 2**30


def keep_memory() -> None:
    """Large blocks are taken from the one heap and stay there. With glibc only."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(M_MMAP_THRESHOLD, LARGE)
            libc.mallopt(M_TRIM_THRESHOLD, LARGE)
            libc.mallopt(M_ARENA_MAX, 1)


def limit_memory(more: int) -> None:
    """more: bytes that this process may map from now on, beside those that it has. On Linux only."""
    if sys.platform == "linux":
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + more, mapped + more))
