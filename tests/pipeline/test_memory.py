"""How much memory a process may take."""

import subprocess
import sys

import pytest

SCRIPT = """
from pipeline.memory import limit_memory
limit_memory(64 * 2**20)
block = bytearray({size} * 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits hold on Linux only")
@pytest.mark.parametrize(("size", "fits"), [(16, True), (256, False)])
def test_a_process_gets_no_more_than_its_limit(size, fits):
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(size=size)], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == fits
    assert fits or "MemoryError" in done.stderr


ARENAS = """
import ctypes, threading
from pipeline.memory import keep_memory
{call}
barrier = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (bytearray(100_000), barrier.wait())) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
@pytest.mark.parametrize("kept", [True, False])
def test_threads_share_one_heap(kept: bool) -> None:
    code = ARENAS.format(call="keep_memory()" if kept else "")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stderr.count("Arena ") == 1) == kept
