"""What is seen of a loop: a bar on a terminal, rows in a log."""

import os
import pty
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline import progress

ROW = {"step": 40.0, "images": 640.0, "learning_rate": 0.1, "rotation": 1.25}


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard error is a terminal; its other end. No fixture, since pytest sets standard error after those."""
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as stream, monkeypatch.context() as patch:
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", "120")
        patch.setattr("sys.stderr", stream)
        yield reader
    os.close(reader)


def test_a_terminal_shows_steps_rate_and_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as screen:
        with progress.training("rotation, seed 0", 50, done=20) as shown:
            assert shown.step is not None
            for step in range(21, 51):
                shown.step(step)
                if step == 40:
                    shown.row(ROW)
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(screen, 100_000).decode())
    assert "rotation, seed 0" in text
    assert "50/50" in text
    assert "steps/s" in text
    assert "rotation 1.25" in text
    assert "learning_rate" not in text


def test_a_log_has_a_line_a_row_and_none_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.training("rotation, seed 0", 50, done=0) as shown:
        assert shown.step is None
        shown.row(ROW)
    assert capsys.readouterr().err == "step 40  images 640  learning_rate 0.1  rotation 1.25\n"
