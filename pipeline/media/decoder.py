"""Files decoded in another process, so that the worst that a file can do costs that file alone."""

import fcntl
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from pipeline.media import child
from pipeline.media.unusable import Unusable, crashed, silent

Window = tuple[dict[str, Any], dict[str, np.ndarray]]

START_SECONDS = 120.0
"""Until the process has loaded its libraries, on a machine under load."""
BYTES_A_SECOND = 5_000_000
"""Of a file that is read through, hashed and searched for its packets: a slow disk."""
ENDING_SECONDS = 30.0
"""Until a process that crashed has ended: it may write a core first."""
PIPE = 2**20  # bytes
MESSAGE = 2**14  # bytes of messages that are read at once


def reading_seconds(path: Path) -> float:
    """For which a process may be silent, beside `file_seconds`, because of a file's size."""
    try:
        return path.stat().st_size / BYTES_A_SECOND
    except OSError:
        return 0.0


class Hung(Exception):
    """No message came in time."""


class Died(Exception):
    """The process ended."""


class Garbled(Exception):
    """The process said what is no message."""


class Decoder:
    """Decodes one file after the other in a process of its own, which is started anew when it had to be given up.

    settings: what `pipeline.media.windows` keeps of a file (`Kept`), and `file_seconds` and `file_memory_mb`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the decoder
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._buffer = bytearray()
        self.restarts = 0
        self._start()

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._errors.close()

    @property
    def is_running(self) -> bool:
        """Not between a process that was given up and the next file."""
        return self._process is not None

    @property
    def process_id(self) -> int:
        """Of the process that decodes now."""
        assert self._process is not None
        return self._process.pid

    def windows(
        self, path: Path, md5: str, modality: str, stills: list[dict[str, Any]] | None = None
    ) -> Iterator[Window]:
        """As `pipeline.media.windows.windows` or, where `stills` are asked for (frame and box of each), as
        `pipeline.media.crops.cut_stills`; but that every failure is Unusable. Streams are read-only.

        The process may be silent for `file_seconds` before each window, and before the first for a second more for
        every 5 MB of the file: so that a long file has its time and one that hangs does not."""
        if self._process is None:
            self._start()
        self._await_ready()
        patience = float(self._settings["file_seconds"])
        try:
            self._tell({"path": str(path), "md5": md5, "modality": modality, "stills": stills})
            extra = reading_seconds(path)
            while True:
                with _understood():
                    message = self._message(patience + extra)
                    extra = 0.0
                    if "reason" in message:
                        raise Unusable(str(message["reason"]))
                    if "done" in message:
                        return
                    facts, streams = message["facts"], {}
                    for name, (dtype, shape) in message["streams"].items():
                        streams[name] = np.empty(shape, dtype)
                        self._fill(streams[name], patience)
                        streams[name].flags.writeable = False
                yield facts, streams
        except Hung:
            self._give_up(0.5)
            raise Unusable(silent(patience + extra)) from None
        except Died:
            code = self._give_up(ENDING_SECONDS)
            raise Unusable(crashed(code)) from None
        except Garbled:
            self._give_up(0)
            raise Unusable("its decoder answered what cannot be understood") from None

    def _start(self) -> None:
        # Threads of BLAS would be taken from the other jobs' cores; results would depend on their number.
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", child.__name__, json.dumps(self._settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            env={**os.environ, **single},
        )
        if sys.platform == "linux" and self._process.stdout is not None:
            # Else a window is handed over in a dozen turns of both processes.
            fcntl.fcntl(self._process.stdout.fileno(), fcntl.F_SETPIPE_SZ, PIPE)
        self._buffer.clear()
        self._ready = False

    def _await_ready(self) -> None:
        if self._ready:
            return
        try:
            self._message(START_SECONDS)
        except (Hung, Died):
            self._give_up(ENDING_SECONDS)
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip()[-2000:]
            raise RuntimeError(f"the process that decodes did not start: {said}") from None
        self._ready = True

    def _give_up(self, patience: float) -> int | None:
        """Kills the process; the next file starts another. Returns how it had ended, if it had by itself within
        `patience` seconds."""
        assert self._process is not None
        try:
            code = self._process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            code = None
        self._stop()
        self.restarts += 1
        return code

    def _stop(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            raise Died from None

    def _message(self, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while (end := self._buffer.find(b"\n")) < 0:
            self._receive(until)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return json.loads(line)

    def _fill(self, array: np.ndarray, seconds: float) -> None:
        """With the bytes that come next; from the pipe into the array, without a copy between."""
        until = time.monotonic() + seconds
        rest = array.reshape(-1).view(np.uint8).data
        there = min(len(self._buffer), len(rest))
        rest[:there] = self._buffer[:there]
        del self._buffer[:there]
        rest = rest[there:]
        while rest:
            received = os.readv(self._pipe(until), [rest])
            if not received:
                raise Died
            rest = rest[received:]

    def _receive(self, until: float) -> None:
        received = os.read(self._pipe(until), MESSAGE)
        if not received:
            raise Died
        self._buffer += received

    def _pipe(self, until: float) -> int:
        """From the process, when there is something to read in it."""
        assert self._process is not None
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise Hung
        return pipe


@contextmanager
def _understood() -> Iterator[None]:
    """What a damaged file has made of the process that decodes is not known: its answers are not trusted."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, MemoryError) as error:
        raise Garbled from error
