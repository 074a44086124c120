"""Tuples are counted, and clips without any are told with their reasons."""

from pipeline.tables.tuple_counts import TupleCounts, tuple_counts_section


def test_every_strategy_of_every_split_is_counted() -> None:
    still = {"no window with enough motion": 2, "too short for five frames that far apart": 1}
    found = [
        TupleCounts("train", 10, {"motion": 28, "uniform": 40}, {"motion": still}),
        TupleCounts("test", 3, {"uniform": 12}, {"motion": {"no window with enough motion": 3}}),
    ]
    heading, _, table = tuple_counts_section(found)
    assert heading == "### Tuples"
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    reasons = "2: no window with enough motion; 1: too short for five frames that far apart"
    assert rows == [
        ["train", "motion", "10", "28", reasons],
        ["train", "uniform", "10", "40", "0"],
        ["test", "motion", "3", "0", "3: no window with enough motion"],
        ["test", "uniform", "3", "12", "0"],
    ]


def test_nothing_is_said_where_nothing_is_mined() -> None:
    assert tuple_counts_section([]) == []
