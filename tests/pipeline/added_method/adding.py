"""A method that the package does not have, as somebody adds one: one file and one block."""

from pathlib import Path

from tests.project import Project

FILE = Path(__file__).with_name("upside_down.py")
BLOCK = Path(__file__).with_name("block.yaml")
ADDED = "ssl/selfsup/methods/image/upside_down.py"


def add_file(project: Project) -> None:
    (project.root / ADDED).write_text(FILE.read_text())


def add_block(project: Project) -> None:
    """As a person does, in the text: nothing else of params.yaml changes."""
    project.edit("params.yaml", "\nprotocols:\n", f"\n{BLOCK.read_text()}\nprotocols:\n")
