"""`data/excluded.txt`: clips that may touch no later number, by split, so that only what they touched is redone."""

from dataclasses import dataclass
from pathlib import Path

from pipeline import cards, paths
from pipeline.errors import UserError, did_you_mean
from pipeline.files import write_text


@dataclass(frozen=True)
class Line:
    """clip: DATASET/SPLIT/NAME, of a clip, a still or (with @) a window. number: in the file, from 1."""

    number: int
    clip: str
    reason: str


def read(path: Path = paths.EXCLUDED) -> dict[str, str]:
    """Reason by clip id. Raises as `lines` does."""
    return {line.clip: line.reason for line in lines(path)}


def lines(path: Path = paths.EXCLUDED) -> list[Line]:
    """Raises UserError for a line whose first word names no split, or that gives no reason."""
    found = []
    try:
        texts = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from None
    for number, text in enumerate(texts, 1):
        if not text.strip() or text.startswith("#"):
            continue
        clip, reason = [*text.split(maxsplit=1), ""][:2]
        parts = clip.split("/", 2)
        if len(parts) != 3 or parts[1] not in paths.SPLITS or not all(parts):
            raise UserError(
                f"{path}:{number}: expected DATASET/SPLIT/NAME (split {', '.join(paths.SPLITS)}) and a reason, found "
                f"{clip!r}; a space in a name is written %20, as `audit` prints it"
            )
        if not reason.strip():
            raise UserError(f"{path}:{number}: {clip} has no reason; write one behind it")
        found.append(Line(number, clip, reason.strip()))
    return found


def of(scale: str, dataset: str, split: str) -> list[Path]:
    """What concerns a split of a dataset: its own exclusions and, for stills, those of the clips they are cut from."""
    parent = cards.parent(dataset)
    return [paths.exclusions(scale, name, split) for name in (dataset, parent) if name]


def refresh(scale: str, datasets: list[str]) -> list[Path]:
    """Write the part of every split that has changed; returns the written."""
    read_lines = lines()
    for line in read_lines:
        dataset = line.clip.partition("/")[0]
        if dataset not in datasets:
            raise UserError(
                f"{paths.EXCLUDED}:{line.number}: {line.clip}: there is no dataset {dataset!r}"
                f"{did_you_mean(dataset, datasets)}"
            )
    reasons = {line.clip: line.reason for line in read_lines}
    written = []
    for dataset in datasets:
        for split in paths.SPLITS:
            path = paths.exclusions(scale, dataset, split)
            mine = sorted((clip, reason) for clip, reason in reasons.items() if clip.startswith(f"{dataset}/{split}/"))
            text = "".join(
                f"{clip} {reason}\n" for clip, reason in [("#", "clips of this split that are excluded"), *mine]
            )
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                write_text(path, text)
                written.append(path)
    return written
