"""`data/excluded.txt`: clips that may touch no later number, by split, so that only what they touched is redone."""

from pathlib import Path

from pipeline import cards, layout
from pipeline.errors import UserError, did_you_mean
from pipeline.files import write_text

HEADER = "# One clip a line, then the reason: DATASET/SPLIT/NAME reason"


def read(path: Path = layout.EXCLUDED) -> dict[str, str]:
    """Reason by clip id. Raises UserError for a line that names no split or gives no reason."""
    reasons = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        clip, _, reason = line.strip().partition(" ")
        parts = clip.split("/", 2)
        if len(parts) != 3 or parts[1] not in layout.SPLITS:
            raise UserError(
                f"{path}:{number}: expected DATASET/SPLIT/NAME (split {', '.join(layout.SPLITS)}), found {clip!r}"
            )
        if not reason.strip():
            raise UserError(f"{path}:{number}: {clip} has no reason; write one behind it")
        reasons[clip] = reason.strip()
    return reasons


def of(scale: str, dataset: str, split: str) -> list[Path]:
    """What concerns a split of a dataset: its own exclusions and, for stills, those of the clips they are cut from."""
    parent = cards.parent(dataset)
    return [layout.exclusions(scale, name, split) for name in (dataset, parent) if name]


def refresh(scale: str, datasets: list[str]) -> list[Path]:
    """Write the part of every split that has changed; returns the written."""
    reasons = read()
    for clip in reasons:
        dataset = clip.partition("/")[0]
        if dataset not in datasets:
            raise UserError(
                f"{layout.EXCLUDED}: {clip}: there is no dataset {dataset!r}{did_you_mean(dataset, datasets)}"
            )
    written = []
    for dataset in datasets:
        for split in layout.SPLITS:
            path = layout.exclusions(scale, dataset, split)
            mine = sorted((clip, reason) for clip, reason in reasons.items() if clip.startswith(f"{dataset}/{split}/"))
            text = "".join(
                f"{clip} {reason}\n" for clip, reason in [("#", "clips of this split that are excluded"), *mine]
            )
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                write_text(path, text)
                written.append(path)
    return written
