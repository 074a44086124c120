"""What was not run: runs before protocols, a line a reason."""

from pipeline.tables.skipped_runs import SkippedRuns, skipped_runs_section


def test_a_reason_is_said_once_with_all_that_it_holds_for() -> None:
    still, silent = "needs several frames of a clip", "needs sound"
    found = SkippedRuns(
        {"a_video": still, "a_sound": silent, "b_video": still},
        {"order": still},
        {("a", "linear"): "one class", ("b", "linear"): "one class", ("a", "knn"): "one class"},
    )
    assert skipped_runs_section(found) == [
        "## Not run",
        "Runs, which are what is pretrained:",
        "- `a_video`, `b_video`: needs several frames of a clip\n- `a_sound`: needs sound",
        "Protocols, which are how a run is evaluated:",
        "- `order`: needs several frames of a clip\n- `linear` of `a`, `b`, `knn` of `a`: one class",
    ]


def test_where_everything_was_run_nothing_is_said() -> None:
    assert skipped_runs_section(SkippedRuns()) == []


def test_a_later_reason_counts() -> None:
    both = SkippedRuns({"a": "x"}, {"linear": "y"}) | SkippedRuns({"a": "z", "b": "z"}, {}, {("c", "knn"): "w"})
    assert both == SkippedRuns({"a": "z", "b": "z"}, {"linear": "y"}, {("c", "knn"): "w"})
