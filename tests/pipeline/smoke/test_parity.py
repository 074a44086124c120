"""What a change makes stale: just so much in Snakemake, and in DVC the stages that those jobs belong to.

tests/pipeline/test_dvc_yaml.py holds every job's inputs and parameters against its stages; here both drivers are asked.
"""

from collections.abc import Callable, Iterator

import networkx
import pytest
from dvc.repo import Repo

from tests.pipeline.added_method.adding import ADDED, add_block, add_file
from tests.project import ROTATION, Project, read_settings

pytestmark = pytest.mark.slow

REPORT = {"report", "publish"}
OF_ROTATION = {"evaluate rotation knn", "evaluate rotation linear", "evaluate rotation pretext"}


def evaluated(project: Project, *protocols: str, of: str = "") -> set[str]:
    """Evaluations under these protocols; of a run, if it is named."""
    runs = read_settings(project.root / "params.yaml")["runs"]
    asked = [(run, protocol) for run, block in runs.items() for protocol in block["evaluate"]]
    return {f"evaluate {run} {one}" for run, one in asked if one in protocols and of in ("", run)}


def trained(project: Project, **named: str) -> set[str]:
    """Runs whose block names a schedule or a set of networks."""
    runs = read_settings(project.root / "params.yaml")["runs"]
    fits = [run for run, block in runs.items() if all(block["train"][key] == value for key, value in named.items())]
    return {f"pretrain {run}" for run in fits}


def setting(key: str, value: object) -> Callable[[Project], None]:
    return lambda project: project.set(key, value)


def appended(file: str, text: str) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        path = project.root / file
        path.write_text(path.read_text() + text)

    return change


def add_method(project: Project) -> None:
    add_file(project)
    add_block(project)


Jobs = Callable[[Project], set[str]]
CHANGES: dict[str, tuple[Callable[[Project], None], Jobs]] = {
    "a run's argument": (
        setting("runs.rotation.train.arguments.turns", [0, 180]),
        lambda project: {"pretrain rotation"} | OF_ROTATION | REPORT,
    ),
    "what another run begins with": (
        setting("runs.supervised.train.steps.smoke", 61),
        lambda project: (
            {"pretrain supervised", "pretrain begun_rotation", "evaluate begun_rotation knn"}
            | evaluated(project, "linear", "knn", of="supervised")
            | REPORT
        ),
    ),
    "a schedule that runs share": (
        setting("scales.smoke.schedules.sound.weight_decay", 0.04),
        lambda project: (
            trained(project, schedule="sound")
            | evaluated(project, "linear", "knn", "correspondence", "retrieval", "sound_svm", of="ave_net")
            | REPORT
        ),
    ),
    "networks that runs share": (
        setting("scales.smoke.networks.sound.encoder.pool", 5),
        lambda project: (
            trained(project, networks="sound") | evaluated(project, "sound_svm", of="random_sound") | REPORT
        ),
    ),
    "a protocol": (
        setting("protocols.retrieval.arguments.depth", 20),
        # A run's protocols are one job, which keeps those that are current.
        lambda project: (
            evaluated(project, "correspondence", "retrieval") | evaluated(project, "sound_svm", of="ave_net") | REPORT
        ),
    ),
    "what is compared with what": (setting("runs.rotation.evaluate.linear", "supervised"), lambda project: REPORT),
    "a comment": (appended(ROTATION, "\n# a comment\n"), lambda project: set()),
    "a method's code": (
        appended(ROTATION, "\nCONSTANT = 1\n"),
        lambda project: {
            "pretrain rotation",
            "pretrain begun_rotation",
            "evaluate begun_rotation knn",
            *OF_ROTATION,
            *REPORT,
        },
    ),
    "a new method file": (add_file, lambda project: set()),
    "a new method with its block": (
        add_method,
        lambda project: {
            "pretrain upside_down",
            "evaluate upside_down linear",
            "evaluate upside_down knn",
            *REPORT,
        },
    ),
    "a probe's code": (
        appended("ssl/selfsup/probes/order.py", "\nCONSTANT = 1\n"),
        lambda project: (
            evaluated(project, "order")
            | evaluated(project, "action", "action_finetuned", of="shuffle_and_learn")
            | REPORT
        ),
    ),
    "the report's code": (appended("pipeline/stages/report.py", "\nCONSTANT = 1\n"), lambda project: REPORT),
    "the tables": (appended("data/published.csv", "\n"), lambda project: REPORT),
}
"""By what is changed: how, and the jobs that Snakemake then has for the table."""

ONWARDS: dict[str, tuple[Callable[[Project], None], set[str], set[str]]] = {
    "clips": (setting("scales.smoke.datasets.toyworld.clips.train", 121), {"fetch", "crop", "decode", "index"}, set()),
    "stills": (setting("scales.smoke.datasets.toyworld-stills.jitter", 0.9), {"crop", "decode", "index"}, {"fetch"}),
    "mining": (setting("scales.smoke.mining.motion", 0.03), {"mine"}, {"fetch", "crop", "decode", "index"}),
    "features": (setting("scales.smoke.features.dims", 128), {"evaluate"}, {"index", "mine", "pretrain"}),
    "threads": (setting("scales.smoke.threads", 2), {"pretrain", "evaluate"}, {"index", "mine"}),
    "seeds": (setting("seeds", [0, 1]), {"pretrain", "evaluate", "report"}, {"index", "mine"}),
    "code of a stage": (
        appended("pipeline/stages/index.py", "\nCONSTANT = 1\n"),
        {"index"},
        {"fetch", "crop", "decode"},
    ),
    "exclusions": (
        appended("data/excluded.txt", "toyworld/test/999999 not there\n"),
        {"index", "report"},
        {"fetch", "crop", "decode"},
    ),
}
"""By what is changed: how, rules that are then stale, and rules that are not."""


@pytest.fixture(scope="module")
def copied(made_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return made_once.copied_to(tmp_path_factory.mktemp("parity") / "project")


@pytest.fixture
def changing(copied: Project) -> Iterator[Project]:
    """What is changed in it is taken back."""
    yield copied
    (copied.root / ADDED).unlink(missing_ok=True)
    copied.run("git", "checkout", "--quiet", ".")


def stale(project: Project) -> tuple[set[str], set[str], list[set[str]]]:
    """Names of the jobs that Snakemake has for the table, stages that DVC would run, and the stages of each job. The
    first refreshes the fingerprints, as DVC's first stage does."""
    jobs = project.jobs("reports/table.md")
    changed = set(project.stale_in_dvc()) - {"fingerprint"}
    graph = Repo(str(project.root)).index.graph
    after = {later.name for stage in graph if stage.name in changed for later in networkx.ancestors(graph, stage)}
    return {name for job in jobs for name in job.names}, changed | after, [job.stages for job in jobs]


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_makes_stale_what_follows_from_it_and_dvc_calls_for_no_less(changing: Project, what: str) -> None:
    change, expected = CHANGES[what]
    change(changing)
    jobs, stages, of_jobs = stale(changing)
    assert jobs == expected(changing)
    assert not [one for one in of_jobs if not one & stages]
    assert jobs or not stages - {"report"}, "what changes nothing makes DVC work"


@pytest.mark.skip(reason="not yet held against one block a run")
@pytest.mark.parametrize("what", ONWARDS)
def test_a_change_reaches_everything_after_it_and_nothing_before(changing: Project, what: str) -> None:
    change, rules, not_rules = ONWARDS[what]
    change(changing)
    jobs, stages, of_jobs = stale(changing)
    found = {job.split()[0] for job in jobs}
    assert rules | REPORT <= found
    assert not found & not_rules
    assert not [one for one in of_jobs if not one & stages]
