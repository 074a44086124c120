"""What is told of a shard's files when it is decoded."""

import pytest

from pipeline.jobs import LEFT_OUT
from pipeline.store.index import told


@pytest.mark.parametrize(
    ("files", "left_out", "expected"),
    [
        (1, [], ["train-000: its 1 file is used"]),
        (3, [], ["train-000: all 3 files are used"]),
        (1, [("a", "is empty")], ["train-000: 1 of 1 file is left out", "  'a' is empty"]),
        (
            3,
            [("a", "holds 2 of 9"), ("b", "holds 4 of 9")],
            ["train-000: 2 of 3 files are left out", "  'a' holds 2 of 9"],
        ),
    ],
)
def test_files_that_are_left_out_are_told(files: int, left_out: list[tuple[str, str]], expected: list[str]) -> None:
    lines = told("train-000", files, left_out)
    assert lines[0] == expected[0]
    assert [line.partition(", and")[0] for line in lines[1:]] == expected[1:]
    # By this the lines are found in a job's log.
    assert bool(LEFT_OUT.search(lines[0])) == bool(left_out)
