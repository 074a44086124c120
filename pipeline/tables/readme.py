"""The README's table: the report's own, copied between two marks."""

from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import write_text

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SECTION = "## Measured here"


def excerpt(table: str) -> str:
    """The rows and their legend of table.md's section of measured numbers."""
    _, found, rest = table.partition(f"{SECTION}\n")
    if not found:
        raise UserError(f"the table has no section {SECTION!r}; make it anew")
    return rest.partition("\n## ")[0].strip()


def refresh(readme: Path, table: Path) -> None:
    """Raises UserError if the README lacks its marks or there is no table yet."""
    if not table.exists():
        raise UserError(f"{table}: missing; `snakemake {table}` makes it")
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise UserError(f"{readme}: expected the marks {BEGIN} and {END}; put them where the table belongs")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    write_text(readme, f"{before}{BEGIN}\n{excerpt(table.read_text(encoding='utf-8'))}\n{END}{after}")
