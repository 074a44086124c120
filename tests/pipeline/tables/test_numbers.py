"""Numbers over seeds come from the predictions of each seed, and disagreement is named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.tables import numbers
from pipeline.tables.results import Result, predictions, read_result

BOOTSTRAP = {"draws": 200, "seed": 0}
REFERENCES = {(run, "toyworld", "linear"): "random" for run in ("random", "rotation")}

Write = Callable[..., Path]


def test_one_seed_is_printed_as_its_evaluation_has_it(evaluation: Write) -> None:
    result = read_result(evaluation("rotation", right=120))
    (number,) = numbers.measure([result], references=REFERENCES, **BOOTSTRAP)
    assert (number.value, number.low, number.high) == (0.6, 0.6 - 0.07, 0.6 + 0.07)
    assert (number.chance, number.count, number.clips, number.seeds) == (0.25, 200, 200, (0,))
    assert number.id == "smoke/toyworld/rotation/seeds/toyworld/linear/block3/top1"


def test_several_seeds_are_averaged_and_their_layers_kept(evaluation: Write) -> None:
    folders = [
        evaluation("rotation", right=140, seed=1, layer="block4"),
        evaluation("rotation", right=120, seed=0),
    ]
    (number,) = numbers.measure([read_result(folder) for folder in folders], references=REFERENCES, **BOOTSTRAP)
    assert number.value == pytest.approx(0.65)
    assert number.low < 0.65 < number.high
    assert number.per_seed == (0.6, 0.7)
    assert (number.seeds, number.layers) == ((0, 1), ("block3", "block4"))
    assert number.id == "smoke/toyworld/rotation/seeds/toyworld/linear/chosen/top1"


def test_what_a_number_is_read_against_is_averaged_over_seeds_too(evaluation: Write) -> None:
    folders = [
        evaluation("rotation", right=120, seed=0, chance=0.2, ceiling=0.9),
        evaluation("rotation", right=140, seed=1, chance=0.3, ceiling=0.96),
    ]
    (number,) = numbers.measure([read_result(folder) for folder in folders], references=REFERENCES, **BOOTSTRAP)
    assert (number.chance, number.ceiling) == (pytest.approx(0.25), pytest.approx(0.93))


def test_a_number_may_have_a_trivial_error_for_chance(evaluation: Write) -> None:
    folder = evaluation("rotation", right=120, trivial=0.5, at_edge=True)
    data = json.loads((folder / "numbers.json").read_text())
    del data["numbers"][0]["chance"]
    (folder / "numbers.json").write_text(json.dumps(data))
    (number,) = numbers.measure([read_result(folder)], references=REFERENCES, **BOOTSTRAP)
    assert (number.chance, number.trivial, number.at_edge) == (None, 0.5, True)


def test_difference_is_paired_by_clip_over_the_seeds_that_both_runs_have(evaluation: Write) -> None:
    folders = [
        evaluation("rotation", right=120, seed=0),
        evaluation("rotation", right=200, seed=1),
        evaluation("random", right=60, seed=0),
    ]
    rotation, random = numbers.measure([read_result(folder) for folder in folders], references=REFERENCES, **BOOTSTRAP)
    assert random.difference is None
    assert rotation.difference is not None
    # Seed 0 alone: 120 right against 60, and 60 clips on which they differ.
    assert rotation.difference.value == pytest.approx(0.3)
    assert 0.2 < rotation.difference.low < 0.3 < rotation.difference.high < 0.4


def test_no_difference_without_the_reference_run(evaluation: Write) -> None:
    result = read_result(evaluation("rotation", right=120))
    (number,) = numbers.measure([result], references=REFERENCES, **BOOTSTRAP)
    assert number.difference is None


def test_runs_differ_by_what_their_examples_say_references_aside(evaluation: Write) -> None:
    rights = {"random": 60, "rotation": 120, "supervised": 140}
    results = [read_result(evaluation(run, right=right)) for run, right in rights.items()]
    references = {(run, "toyworld", "linear"): "random" for run in rights}
    (one,) = numbers.between(results, references=references, **BOOTSTRAP)
    assert ("/supervised/" in one.greater, "/rotation/" in one.lesser) == (True, True)
    assert one.difference.value == pytest.approx(0.1)
    assert 0.05 < one.difference.low < 0.1 < one.difference.high < 0.15


def test_a_value_that_its_predictions_contradict_is_named(evaluation: Write) -> None:
    folder = evaluation("rotation", right=120)
    data = json.loads((folder / "numbers.json").read_text())
    data["numbers"][0]["value"] = 0.7
    (folder / "numbers.json").write_text(json.dumps(data))
    with pytest.raises(
        UserError, match=r"rotation/seed-0/toyworld/linear: top1: .*0\.700000, its predictions say 0\.6"
    ):
        numbers.measure([read_result(folder)], references=REFERENCES, **BOOTSTRAP)


def test_runs_scored_on_other_examples_are_named(evaluation: Write) -> None:
    rotation = read_result(evaluation("rotation", right=120))
    random = read_result(evaluation("random", right=60))
    whole = random.predictions["top1"]
    shorter = predictions(whole.id[:60], whole.parent[:60], whole.label[:60], whole.prediction[:60], whole.scores[:60])
    scored = random.evaluation.numbers[0].model_copy(update={"value": 1.0})
    random = Result(random.evaluation.model_copy(update={"numbers": [scored]}), {"top1": shorter})
    with pytest.raises(UserError, match=r"random/seed-0.* scored on other examples than .*rotation/seed-0.*60 and 200"):
        numbers.measure([rotation, random], references=REFERENCES, **BOOTSTRAP)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("numbers.json", b"{", "not readable as JSON"),
        ("numbers.json", b"{}", "run: missing"),
        ("predictions.parquet", b"PAR1", "not a readable file of predictions"),
    ],
)
def test_a_broken_evaluation_is_named(evaluation: Write, name: str, content: bytes, line: str) -> None:
    folder = evaluation("rotation", right=120)
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name}.*{line}"):
        read_result(folder)


def test_a_missing_evaluation_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"numbers\.json: missing; `snakemake .*numbers\.json` makes it"):
        read_result(tmp_path)
