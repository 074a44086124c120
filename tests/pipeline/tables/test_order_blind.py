"""A number that may come of order stands beside what is reached without."""

import pytest

from pipeline.tables.numbers import Measured
from pipeline.tables.order_blind import best_order_blind


def measured(run: str, protocol: str, metric: str, value: float) -> Measured:
    return Measured(
        id=f"smoke/toyworld/{run}/seeds/toyworld/{protocol}/chosen/{metric}",
        run=run,
        protocol=protocol,
        seeds=(0,),
        layers=("block4",),
        value=value,
        low=value,
        high=value,
        chance=0.1,
        ceiling=None,
        count=1,
        clips=1,
        difference=None,
        overlap={},
    )


def test_the_highest_without_order_frozen_or_fine_tuned_stands_beside_every_run_with_it() -> None:
    numbers = [
        measured("random", "action", "top1", 0.40),
        measured("random", "action", "top1_few", 0.24),
        measured("random", "action", "top1_blind", 0.35),
        measured("random", "action", "top1_blind_few", 0.23),
        measured("supervised", "action", "top1", 0.66),
        measured("supervised", "action", "top1_blind", 0.54),
        measured("supervised", "action", "top1_blind_few", 0.42),
        measured("random", "action_finetuned", "top1", 0.46),
        measured("random", "action_finetuned", "top1_blind", 0.38),
        measured("random", "action_finetuned", "top1_few", 0.29),
        measured("random", "action_finetuned", "top1_blind_few", 0.45),
        measured("random", "linear", "top1", 0.99),
        measured("random", "knn", "top1", 0.20),
    ]
    named = {f"{one.run}.{one.protocol}.{one.id.split('/')[-1]}": one.id for one in numbers}
    assert best_order_blind(numbers) == {
        named["random.action.top1"]: pytest.approx(0.54),
        named["random.action.top1_few"]: pytest.approx(0.45),
        named["supervised.action.top1"]: pytest.approx(0.54),
        named["random.action_finetuned.top1"]: pytest.approx(0.54),
        named["random.action_finetuned.top1_few"]: pytest.approx(0.45),
    }


def test_where_no_head_is_blind_to_order_there_is_none() -> None:
    assert best_order_blind([measured("random", "linear", "top1", 0.3)]) == {}
