"""What this machine has, and what jobs are given of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import machine
from tests.project import ROOT

GIGABYTE = 2**30


def groups(tmp_path: Path, own: str, limits: dict[str, str]) -> list[int]:
    (tmp_path / "cgroup").write_text(own)
    for name, limit in limits.items():
        file = tmp_path / "fs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{limit}\n")
    return machine.cgroup_limits(tmp_path / "cgroup", tmp_path / "fs")


@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("0::/\n", {"memory.max": str(8 * GIGABYTE)}, [8 * GIGABYTE]),
        ("0::/user/job\n", {"user/job/memory.max": "max", "user/memory.max": "5"}, [5]),
        ("0::/user/job\n", {"other/memory.max": "5"}, []),
        ("4:memory:/job\n3:cpu,cpuacct:/job\n", {"memory/job/memory.limit_in_bytes": "7"}, [7]),
        ("4:cpu:/job\n", {"memory/job/memory.limit_in_bytes": "7"}, []),
    ],
)
def test_a_groups_limit_counts(tmp_path: Path, own: str, limits: dict[str, str], expected: list[int]) -> None:
    assert groups(tmp_path, own, limits) == expected


def test_without_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert machine.cgroup_limits(tmp_path / "none", tmp_path) == []


def test_memory_is_that_of_the_machine_or_less() -> None:
    assert 2**28 < machine.memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("visible", "expected"), [("", 0), ("-1", 0), ("0", 1), ("0,2", 2), ("GPU-8f,GPU-9a", 2), ("0,-1,1", 1)]
)
def test_gpus_that_are_hidden_do_not_count(visible: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert machine.gpus() == expected


def test_gpus_are_those_that_the_driver_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.gpus() == 0
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: x)'\necho '  MIG 1g (UUID: z)'\necho 'GPU 1: A (UUID: y)'\n")
    program.chmod(0o755)
    assert machine.gpus() == 2


@pytest.mark.parametrize(
    ("device", "count", "expected"), [("auto", 2, 8), ("cuda", 1, 4), ("cpu", 2, None), ("auto", 0, None)]
)
def test_places_on_gpus(device: str, count: int, expected: int | None) -> None:
    assert machine.resources(device, 4, lambda: count).get("gpu") == expected


@pytest.mark.parametrize(
    ("device", "offered", "expected"), [("auto", 0, 0), ("auto", 8, 1), ("cpu", 8, 0), ("cuda", 0, 1), ("cuda", 8, 1)]
)
def test_a_job_asks_for_a_gpu_where_there_are_any(device: str, offered: int, expected: int) -> None:
    assert machine.gpu_of_a_job(device, offered) == expected


def test_jobs_part_over_the_gpus_and_a_job_that_ends_frees_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_held", [])
    code = (
        f"from pathlib import Path; from pipeline.machine import take_gpu; print(take_gpu(2, Path({str(tmp_path)!r})))"
    )
    assert machine.take_gpu(2, tmp_path) == 0
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout == "1\n"
    assert [machine.take_gpu(2, tmp_path) for _ in range(3)] == [1, 0, 1]


def test_a_machine_that_knows_no_affinity_binds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.cores_are_own(10_000) == hasattr(os, "sched_getaffinity")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert not machine.cores_are_own(10_000)


SNAKEFILE = """
from pipeline import machine

for name, amount in machine.resources("cpu", 1).items():
    if name not in workflow.global_resources:
        workflow.register_resource(name, amount)

rule all:
    input: expand("{name}.txt", name="abc")

rule make:
    output: "{name}.txt"
    resources: mem_mb=lambda w: 100 if w.name == "a" else 10**9
    shell: "echo {wildcards.name} begins >> order; sleep 0.3; echo {wildcards.name} ends >> order; touch {output}"
"""


@pytest.mark.parametrize("allowed", [[], ["--resources", "mem_mb=800"]])
def test_jobs_that_do_not_fit_beside_each_other_run_in_turn(allowed: list[str], tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "8", "all", *allowed],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    order = [line.split() for line in (tmp_path / "order").read_text().splitlines()]
    assert all(one[0] == other[0] for one, other in zip(order[::2], order[1::2], strict=True))
