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
