"""budgets.md: a line a run, a line an evaluation."""

from pipeline.tables.budgets import render_budgets


def receipt(steps: int, **notes: object) -> dict[str, object]:
    known = {"steps": steps, "images_seen": 32 * steps, "parameters_of_encoder": 1234567, "device": "cpu"}
    known |= {"precision": "bf16" if steps else None}
    whole = {"run": "rotation", "seed": 1, "seconds": 71.26, "peak_memory_bytes": 512_400_000}
    return whole | {"notes": known | notes}


def cells(page: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.split("\n")]


def test_what_trains_says_how_fast_and_what_was_resumed_says_so() -> None:
    trained = receipt(500, seconds_of_training=59.6, images_per_second=268.4, resumed_from_step=100)
    tested = receipt(0) | {"on": "toyworld", "protocol": "action"}
    lines = cells(render_budgets([trained, receipt(0)], [tested]))
    known = ["`rotation`", "1", "1,234,567"]
    assert [*known, "500 (from step 100)", "16,000", "60", "268", "71", "512", "cpu", "bf16"] in lines
    assert [*known, "0", "0", "", "", "71", "512", "cpu", ""] in lines
    assert ["`rotation`", "1", "`toyworld`", "`action`", "71", "512", "cpu", ""] in lines
