"""What `record` leaves of dvc.lock."""

from pipeline.lineage.dvc_sync import pruned

LOCK = """schema: '2.0'
stages:
  fetch:
    cmd: snakemake data
    deps:
    - path: data/cards/toyworld.yaml
      md5: 4f1e
  pretrain@rotation:
    cmd: snakemake pretrain_all
    params:
      params.yaml:
        runs.rotation.train:
          pretrain@gone:
            on: stills
  pretrain@gone:
    cmd: snakemake pretrain_all
    outs:
    - path: runs/smoke/gone
      md5: 70ae.dir
  report:
    cmd: snakemake reports/table.md
"""


def test_entries_of_stages_that_are_no_more_go_and_nothing_else_changes() -> None:
    assert pruned(LOCK, ["fetch", "pretrain@rotation", "pretrain@gone", "report"]) == LOCK
    first, _, rest = LOCK.partition("  pretrain@gone:\n    cmd")
    kept = pruned(LOCK, ["fetch", "pretrain@rotation", "report", "evaluate@new"])
    assert kept == first + rest[rest.index("  report:") :]
    assert pruned(LOCK, ["fetch", "report"]).count("pretrain@") == 0
