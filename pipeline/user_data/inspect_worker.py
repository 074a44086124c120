"""Looks into files in other processes, so that a file at which a decoder hangs or crashes costs itself alone."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from pipeline.datasets.folder.formats import Medium
from pipeline.media.decoder import ENDING_SECONDS, START_SECONDS, reading_seconds
from pipeline.media.unusable import crashed, silent
from pipeline.memory import limit_memory
from pipeline.user_data.inspect_file import Facts, Limits, inspect_file

MEGABYTE = 2**20


class InspectWorker:
    """A process that looks into one file after the other, and is started anew when it had to be given up."""

    def __init__(self, medium: Medium, limits: Limits) -> None:
        self._asked = medium, limits
        self._patience = limits.file_seconds
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_answer, args=(other, *self._asked), daemon=True)
        self._process.start()
        other.close()  # so that this end is told when the process is gone
        self._ready = False

    def _await_ready(self) -> None:
        try:
            if self._pipe.poll(START_SECONDS):
                self._pipe.recv_bytes()
                self._ready = True
        except EOFError:
            pass
        if not self._ready:
            raise RuntimeError("the process that looks into files did not start")

    def look(self, path: Path) -> Facts:
        """As `inspect_file`."""
        if not self._ready:
            self._await_ready()
        patience = self._patience + reading_seconds(path)
        try:
            self._pipe.send(path)
            if self._pipe.poll(patience):
                return Facts(**json.loads(self._pipe.recv_bytes()))
            problem = silent(patience)
        except (EOFError, ConnectionError):
            self._process.join(ENDING_SECONDS)
            problem = crashed(self._process.exitcode)
        self.close()
        self._start()
        return Facts(problem=problem)

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _answer(pipe: Connection, medium: Medium, limits: Limits) -> None:
    """The process: answers with JSON, which unlike a pickle is no code, whatever a damaged file made of the process."""
    limit_memory(limits.file_memory_mb * MEGABYTE)
    pipe.send_bytes(b"ready")
    while True:
        try:
            path = pipe.recv()
        except EOFError:
            return
        pipe.send_bytes(json.dumps(asdict(inspect_file(path, medium, limits))).encode())


def inspect_files(paths: Sequence[Path], medium: Medium, workers: int, limits: Limits) -> Iterator[Facts]:
    """In order."""
    with ExitStack() as stack, ThreadPoolExecutor(workers) as pool:
        idle: SimpleQueue[InspectWorker] = SimpleQueue()
        for _ in range(workers):
            idle.put(stack.enter_context(closing(InspectWorker(medium, limits))))

        def look(path: Path) -> Facts:
            worker = idle.get()
            try:
                return worker.look(path)
            finally:
                idle.put(worker)

        yield from pool.map(look, paths)
