"""Targets of a command line that nothing makes are refused in one line."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.dag import Dag
from pipeline.errors import UserError
from pipeline.parameters import read_parameters
from pipeline.paths import PARTS
from tests.project import ROOT, enter_settings


@pytest.fixture
def dag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dag:
    """In a folder in which nothing was made."""
    root = tmp_path / "repository"
    root.mkdir()
    enter_settings(root, monkeypatch)
    return Dag(read_parameters())


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("reports/nope/toyworld/table.md", "reports/nope/toyworld/table.md: there is no scale 'nope'; expected one of"),
        (
            "data/decoded/smke/toyworld/x",
            "data/decoded/smke/toyworld/x: there is no scale 'smke'; did you mean 'smoke'?",
        ),
        ("reports/smoke/toywrld/table.md", "there is no card for dataset 'toywrld'; did you mean 'toyworld'?"),
        ("reports/tabel.md", "reports/tabel.md: nothing makes this file; did you mean 'reports/table.md'?"),
        ("reports/shortcust.md", "did you mean 'reports/shortcuts.md'?"),
        ("reports/figures/toywrold.webp", "did you mean 'reports/figures/toyworld.webp'?"),
        (
            "reports/default/toyworld/tabel.md",
            "nothing makes this file; did you mean 'reports/default/toyworld/table.md'?",
        ),
    ],
)
def test_a_target_that_nothing_makes_is_refused(dag: Dag, target: str, expected: str) -> None:
    with pytest.raises(UserError, match=re.escape(expected)) as raised:
        dag.check_targets(["--cores", "all", target])
    assert "params.yaml" not in str(raised.value)


def test_what_is_made_and_what_is_no_target_passes(dag: Dag) -> None:
    dag.check_targets(
        [
            *("-n", "reports/table.md", "reports/metrics.json", "reports/receipt.json", "reports/figures/toyworld.png"),
            *(
                "reports/shortcuts.md",
                "reports/shortcuts.json",
                "reports/shortcuts.receipt.json",
                "reports/figures/toyworld.webp",
            ),
            *("reports/figures/toyworld.receipt.json", "reports/smoke/toyworld/figures/toyworld.png"),
            *("reports/images.md", "reports/smoke/toyworld/sound.md", "reports/video.receipt.json"),
            *("reports/paper/toyworld/table.md", "--report", "reports/of-snakemake.html", "table", "--cores", "2"),
        ]
    )


def test_what_the_rules_make_passes(dag: Dag) -> None:
    """Every file below reports/ that a rule names."""
    text = (ROOT / "pipeline/rules/report.smk").read_text()
    named = set(re.findall(r'"(reports/[^"]+)"', text))
    assert len(named) >= 10
    filled = {"scale": "smoke", "dataset": "toyworld", "part": "video"}
    for name in named:
        for key, value in filled.items():
            name = re.sub(rf"{{+(PARAMETERS\.)?{key}}}+", value, name)
        dag.check_targets([name])


def changed(dag: Dag, run: str, **train: object) -> Dag:
    """With another training block of a run."""
    given = dag.parameters
    block = given.runs[run].model_copy(update={"train": given.runs[run].train.model_copy(update=train)})
    return Dag(given.model_copy(update={"runs": {**given.runs, run: block}}))


def test_a_runs_protocols_on_a_dataset_are_one_job(dag: Dag) -> None:
    """And runs with the same protocols share a rule, whose name says them."""
    groups = dag.evaluation_groups()
    of = {(group.on, run): group for group in groups for run in group.runs}
    assert of["toyworld-stills", "random"] is of["toyworld-stills", "supervised"]
    assert of["toyworld-stills", "random"].rule == "evaluate_toyworld_stills_linear_knn"
    assert of["toyworld-stills", "rotation"].protocols == ("linear", "knn", "pretext")
    assert len({group.rule for group in groups}) == len(groups)
    # Each evaluation is of one group.
    single = [(group.on, run, protocol) for group in groups for run in group.runs for protocol in group.protocols]
    assert sorted(single) == sorted((one.on, one.run, one.protocol) for one in dag.asked("default", "toyworld"))


def test_a_jobs_parameters_are_those_of_its_protocols(dag: Dag) -> None:
    both, one = (dag.planned_all("smoke", "toyworld-stills", names) for names in (["linear", "knn"], ["linear"]))
    assert both != one
    assert both == dag.planned_all("smoke", "toyworld-stills", ["linear", "knn"])


def test_a_part_of_the_lecture_takes_its_runs_and_what_they_are_compared_with(dag: Dag) -> None:
    names = {part: {path.parts[3] for path in dag.runs("smoke", "toyworld", "log.csv", part)} for part in PARTS}
    assert {"random", "supervised", "rotation"} <= names["images"]
    assert {"random_video", "shuffle_and_learn"} <= names["video"]
    assert {"random_sound", "random_ave_net", "ave_net"} <= names["sound"]
    everything = {path.parts[3] for path in dag.runs("smoke", "toyworld", "log.csv")}
    assert set().union(*names.values()) == everything == set(dag.parameters.runs)
    for part in PARTS:
        asked = dag.asked("smoke", "toyworld", part)
        assert {dag.parameters.runs[one.run].evaluate[one.protocol] for one in asked} <= names[part], part


def test_what_a_run_begins_with_is_read_by_it_and_its_clips_by_its_evaluations(dag: Dag) -> None:
    assert dag.begun_with("smoke", "toyworld-stills", "rotation", 0) == []
    dag = changed(dag, "rotation", init_from={"encoder": "ave_net"})
    source = Path("runs/smoke/toyworld/ave_net/seed-3")
    assert dag.begun_with("smoke", "toyworld-stills", "rotation", 3) == [
        source / "model.safetensors",
        source / "heads.safetensors",
    ]
    assert dag.trained_on("smoke", "toyworld-stills", "rotation") == [
        Path("data/decoded/smoke/toyworld-stills/index/train.parquet"),
        Path("data/decoded/smoke/toyworld/index/train.parquet"),
    ]
    # On somebody's own folder the other run is of that folder too.
    assert dag.begun_with("smoke", "mine", "rotation", 3)[0] == Path("runs/smoke/mine/ave_net/seed-3/model.safetensors")
    assert dag.trained_on("smoke", "mine", "rotation") == [Path("data/decoded/smoke/mine/index/train.parquet")]


def test_cues_that_are_to_be_made_anew_go_first_and_no_others(dag: Dag) -> None:
    shortcuts, fetch = (
        SimpleNamespace(rule=SimpleNamespace(name=name), wildcards=SimpleNamespace()) for name in ("shortcuts", "fetch")
    )
    assert dag.reports_after([fetch]) == set()
    assert dag.reports_after([fetch, shortcuts]) == {Path("reports/shortcuts.md"), Path("reports/shortcuts.json")}
