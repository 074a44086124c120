"""Files that bring down who looks into them. Whoever is handed one imports this file: little else is here."""

import os
import signal
from multiprocessing import parent_process
from pathlib import Path

LIMIT_MB = 400
"""That a look may have, of memory."""


class Hangs(Path().__class__):  # type: ignore[misc]
    """A file at which whoever looks into it stops."""

    def absolute(self) -> "Hangs":
        os.kill(os.getpid(), signal.SIGSTOP)
        return self


class Crashes(Path().__class__):  # type: ignore[misc]
    """A file at which whoever looks into it dies."""

    def absolute(self) -> "Crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
        return self


class Swells(Path().__class__):  # type: ignore[misc]
    """A file that needs more memory than a look may have, in the process that looks."""

    def stat(self, **_: bool) -> os.stat_result:
        if parent_process() is None:
            return super().stat()
        held = bytearray(2 * LIMIT_MB * 2**20)
        raise AssertionError(len(held))
