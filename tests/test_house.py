"""What holds for the house as a whole."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_ssl_is_no_package() -> None:
    # With an __init__.py the folder would shadow Python's own ssl for whatever is started in the root.
    assert not (ROOT / "ssl" / "__init__.py").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import ssl; ssl.create_default_context()"],
        ["-m", "snakemake", "--version"],
        ["-m", "dvc", "--version"],
        ["-m", "pytest", "--version"],
        ["-m", "pipeline", "--help"],
    ],
    ids=lambda command: " ".join(command),
)
def test_programs_start_in_the_root(command: list[str]) -> None:
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("stage", ["fetch", "decode", "index", "report", "publish", "reel"])
@pytest.mark.slow
def test_a_stage_that_needs_no_torch_does_not_import_it(stage: str) -> None:
    code = f"import sys, pipeline.stages.{stage}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_command_line_imports_nothing_heavy() -> None:
    heavy = {"torch", "pandas", "pyarrow", "cv2", "matplotlib", "pydantic", "sklearn"}
    code = f"import sys, pipeline.cli; print(sorted(set(sys.modules) & {heavy}))"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "[]"


def test_no_registry_is_named() -> None:
    for lock in ("requirements.lock", "benchmarks/requirements.lock"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert "index-" not in text  # an option that names an index
