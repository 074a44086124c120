"""What the report says of exclusions, of precision, and of who was told where the object is."""

import pandas as pd

from pipeline.parameters import read_parameters
from pipeline.stages.report import contents, precision, small_batches, told_boxes
from pipeline.tables.results import Evaluation, Result
from pipeline.tables.skipped_files import SkippedFile


def test_what_is_to_be_excluded_and_not_there_is_told_with_a_near_miss() -> None:
    """A still, or a window of a file, is there by its own id."""
    rows = pd.DataFrame(
        {
            "id": ["mine/train/a.mp4@0000", "mine/train/a.mp4@0001", "mine/test/b.mp4"],
            "parent": ["mine/train/a.mp4", "mine/train/a.mp4", "mine/test/b.mp4"],
            "reason": [None, "excluded: blurred", None],
        }
    )
    excluded = [{"mine/train/a.mp4@0001": "blurred", "mine/train/b.mp4": "withdrawn"}]
    made = contents(read_parameters(), "smoke", "mine", [], rows, excluded, tuple_counts=[], hard=(), receipts={})
    absent = "named in data/excluded.txt, but not there at this scale; did you mean 'mine/test/b.mp4'?"
    assert made.skipped_files == [
        SkippedFile("mine/train/a.mp4", "excluded: blurred", in_part=True),
        SkippedFile("mine/train/b.mp4", absent, is_there=False),
    ]


def test_a_run_that_saw_smaller_batches_is_named_once() -> None:
    receipts = [
        {"run": run, "notes": {"batch_size": 12} if run != "random" else {}} for run in ("rotation", "random") * 3
    ]
    assert small_batches(receipts) == ["`rotation`: batches of 12, since there is no more to draw."]


def test_precision_is_told_of_training_and_evaluation_apart() -> None:
    def receipt(precision: str | None) -> dict:
        return {"notes": {"precision": precision, "device": "cpu"}}

    told = precision({"trained": [receipt(None), receipt("bf16"), receipt("bf16")], "evaluated": [receipt("fp32")]})
    assert told == "Trained in bf16 (cpu), evaluated in fp32 (cpu)."
    assert precision({"trained": [receipt(None)], "evaluated": []}) == ""


def test_who_was_told_boxes_is_known_of_runs_and_protocols() -> None:
    def result(run: str, protocol: str) -> Result:
        numbers = {"run": run, "seed": 0, "dataset": "toyworld", "scale": "smoke", "on": "toyworld"}
        return Result(Evaluation(**numbers, protocol=protocol, numbers=[], overlap={}), {})

    asked = [("ave_net", "linear"), ("random_ave_net", "linear"), ("random_ave_net", "retrieval"), ("random", "knn")]
    told = told_boxes(read_parameters(), [result(*one) for one in asked])
    # An untrained network was told nothing: only where it is asked about crops.
    assert told == {("ave_net", "linear"), ("random_ave_net", "retrieval")}
