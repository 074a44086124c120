"""Where every artefact lives, relative to the repository's root."""

from pathlib import Path

PARAMETERS = Path("params.yaml")
EXCLUDED = Path("data/excluded.txt")
TABLES = Path("data/tables.yaml")
PUBLISHED = Path("data/published.csv")
SPLITS = ("train", "validation", "test")
PARTS = ("images", "video", "sound")
"""Of the lecture, in its order: each is a report of its own."""
CHECKPOINT = "checkpoint.safetensors"
TENSORBOARD = "tensorboard"


def card(dataset: str) -> Path:
    return Path("data/cards") / f"{dataset}.yaml"


def raw(scale: str, dataset: str) -> Path:
    """Folder of the source files (`clips/`) and their list (`files.parquet`)."""
    return Path("data/raw") / scale / dataset


def decoded(scale: str, dataset: str) -> Path:
    return Path("data/decoded") / scale / dataset


def shard_name(split: str, shard: int) -> str:
    return f"{split}-{shard:03d}"


def shard(scale: str, dataset: str, split: str, number: int) -> Path:
    """The Arrow file of a shard; its rows stand in `.parquet` and its receipt in `.receipt.json` of the same name."""
    return decoded(scale, dataset) / f"{shard_name(split, number)}.arrow"


def shard_rows(scale: str, dataset: str, split: str, number: int) -> Path:
    return shard(scale, dataset, split, number).with_suffix(".parquet")


def index(scale: str, dataset: str, split: str) -> Path:
    return decoded(scale, dataset) / "index" / f"{split}.parquet"


def tuples(scale: str, dataset: str, split: str) -> Path:
    return decoded(scale, dataset) / "tuples" / f"{split}.parquet"


def annotations(scale: str, dataset: str, table: str) -> Path:
    """A table of what is known of the clips, by fetch: see `pipeline.datasets` for those of a dataset."""
    return raw(scale, dataset) / "annotations" / f"{table}.parquet"


def run(scale: str, dataset: str, name: str, seed: int) -> Path:
    return Path("runs") / scale / dataset / name / f"seed-{seed}"


def checkpoint(scale: str, dataset: str, name: str, seed: int) -> Path:
    """What a run that was cut off goes on from. No output of the rule: Snakemake deletes those of a job that failed."""
    return run(scale, dataset, name, seed) / CHECKPOINT


def tensorboard(scale: str, dataset: str, name: str, seed: int) -> Path:
    """Folder of TensorBoard's event files: no output either, since their names hold time and host."""
    return run(scale, dataset, name, seed) / TENSORBOARD


def evaluation(scale: str, dataset: str, name: str, seed: int, on: str, protocol: str) -> Path:
    """dataset: that the run was trained on; on: that it is evaluated on."""
    return Path("runs/evaluations") / scale / on / protocol / dataset / name / f"seed-{seed}"


def seed_of(evaluation: Path) -> int:
    """Of an evaluation's folder."""
    return int(evaluation.name.removeprefix("seed-"))


def fingerprints(scale: str) -> Path:
    return Path("runs/fingerprints") / scale


def exclusions(scale: str, dataset: str, split: str) -> Path:
    """The part of `data/excluded.txt` that concerns one split."""
    return fingerprints(scale) / "excluded" / f"{dataset}.{split}.txt"


def listed(scale: str, dataset: str) -> Path:
    """What stands for the names, sizes and times of a user's own files: it changes when any of them does."""
    return fingerprints(scale) / "listed" / f"{dataset}.txt"


def report(scale: str, dataset: str) -> Path:
    return Path("reports") / scale / dataset


def report_files(dataset: str) -> list[str]:
    """What a report is made of, within its folder; its receipt aside."""
    drawn = (dataset, "training-curves", "confusion", "tuples", "neighbours", "retrieval")
    figures = [f"figures/{name}.png" for name in drawn]
    return ["table.md", "metrics.json", "budgets.md", *figures]


def part(folder: Path, name: str) -> Path:
    """One part of the lecture's report, in the report's folder or at reports/."""
    return folder / f"{name}.md"


def published_report() -> Path:
    """The report that params.yaml asks for; the only one under version control."""
    return Path("reports")


def shortcuts() -> Path:
    """What gives labels away, and what can be learned, in the data that params.yaml asks for; `.json` beside it."""
    return Path("reports/shortcuts.md")


def reel(dataset: str) -> Path:
    """Clips that play side by side, for whoever sees the repository."""
    return Path("reports/figures") / f"{dataset}.webp"


def receipt_beside(path: Path) -> Path:
    """The receipt of the stage that made a file: of its own name in the store, else the one of its stage's folder."""
    if path.is_relative_to("data/decoded"):
        return path.with_name(f"{path.name.split('.')[0]}.receipt.json")
    if path.with_suffix("") == shortcuts().with_suffix(""):
        return shortcuts().with_suffix(".receipt.json")
    if path == reel(path.stem):
        return path.with_suffix(".receipt.json")
    if path.parts[0] == "reports" and path.stem in PARTS:
        return path.with_suffix(".receipt.json")
    folder = path.parent.parent if path.parent.name in ("figures", "annotations") else path.parent
    return folder / "receipt.json"
