"""The card of a folder as text that a person reads and edits."""

import json
import textwrap
from collections import Counter

from pipeline.filenames import to_text
from pipeline.user_data.folder_scan import FolderScan


def _quoted(text: str) -> str:
    """A YAML scalar in double quotes: JSON's are YAML's too, and no name (`yes`, `1e3`, `#x`) means anything else."""
    return json.dumps(text, ensure_ascii=False)


def card_text(name: str, root: str, found: FolderScan) -> str:
    """root: as the card is to have it. YAML that `pipeline.cards` reads, with comments for who edits it."""
    return (
        "\n".join(
            [
                *_comment(
                    f"""Written by `python -m pipeline add`: yours to edit. Comments and order mean nothing.
                Next: `snakemake --cores all reports/default/{name}/table.md`."""
                ),
                f"name: {name}",
                "kind: folder",
                *_comment("The folder. Files stay where they are; a % that is no escape (%0A) is written %25."),
                f"root: {_quoted(root)}",
                *_modality(found),
                f"title: {_quoted(name)}",
                f"description: {_quoted('Files of ' + to_text(found.root.name))}",
                'licence: "not stated"',
                'citation: ""',
                *_labels(found),
                *_splits(found),
            ]
        )
        + "\n"
    )


def _comment(text: str) -> list[str]:
    words = " ".join(text.split())
    return textwrap.wrap(words, 110, initial_indent="# ", subsequent_indent="# ", break_long_words=False)


def _modality(found: FolderScan) -> list[str]:
    lines = []
    if found.medium == "video":
        usable = len(found.usable())
        lines = _comment(
            f"""image, video, audio or audio-visual. {found.with_sound} of {usable} videos have sound: audio-visual
            uses those with sound alone, pictures and sound; video uses all of them, pictures alone."""
        )
    return [*lines, f"modality: {found.modality}"]


def _labels(found: FolderScan) -> list[str]:
    if not found.classes:
        why = f"one class only, {_quoted(found.only_class)}" if found.only_class else "no class folder"
        return [*_comment(f"There is {why}: for pretraining alone."), "labels: {}"]
    counts = Counter((file.label, file.split) for file, _ in found.usable())
    lines = _comment(
        """Of each file: the folder that names its class. Files of a class that does not stand here are left out. Behind
        each: usable files in """
        + ", ".join(found.counts())
    )
    lines += ["labels:", "  class:", "    of: clip", "    classes:"]
    for label in found.classes:
        numbers = ", ".join(str(counts[label, split]) for split in found.counts())
        lines.append(f"      - {_quoted(label)}  # {numbers}")
    return [*lines, "main_label: class"]


def _splits(found: FolderScan) -> list[str]:
    counts = found.counts()
    lines = [f"splits: [{', '.join(counts)}]"]
    lines += _comment(
        """Files of each, those that cannot be used included, as counted when they were added; how many jobs there will
        be follows from it."""
    )
    lines.append(f"files: {{{', '.join(f'{split}: {count}' for split, count in counts.items())}}}")
    if found.classes:
        taken = found.held_out
        lines += _comment("Shares of train that go, by the hash of a file's name, into splits without a folder.")
        lines.append(f"held_out: {{{', '.join(f'{split}: {share}' for split, share in taken.items())}}}")
    return lines
