"""Targets of a command line that nothing makes are refused in one line."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.dag import Dag
from pipeline.errors import UserError
from pipeline.parameters import read_parameters
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
            *("reports/paper/toyworld/table.md", "--report", "reports/of-snakemake.html", "table", "--cores", "2"),
        ]
    )


def test_what_the_rules_make_passes(dag: Dag) -> None:
    """Every file below reports/ that a rule names."""
    text = (ROOT / "pipeline/rules/report.smk").read_text()
    named = set(re.findall(r'"(reports/[^"]+)"', text))
    assert len(named) >= 10
    filled = {"{scale}": "smoke", "{dataset}": "toyworld", "{PARAMETERS.dataset}": "toyworld"}
    for name in named:
        for part, value in filled.items():
            name = name.replace(part, value)
        dag.check_targets([name])


def test_cues_that_are_to_be_made_anew_go_first_and_no_others(dag: Dag) -> None:
    shortcuts, fetch = (
        SimpleNamespace(rule=SimpleNamespace(name=name), wildcards=SimpleNamespace()) for name in ("shortcuts", "fetch")
    )
    assert dag.reports_after([fetch]) == set()
    assert dag.reports_after([fetch, shortcuts]) == {Path("reports/shortcuts.md"), Path("reports/shortcuts.json")}
