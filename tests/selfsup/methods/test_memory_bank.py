import math

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.memory_bank import MemoryBank, drawn_pictures, noise_contrast

PLAIN = {"dims": 6, "temperature": 0.2, "momentum": 0.5, "objective": "cross_entropy", "negatives": 0}


def bank(entries: int = 9, **changes) -> MemoryBank:
    made = MemoryBank(**PLAIN | changes)
    made.fill(entries, Generator().manual_seed(0))
    return made


def queries(count: int) -> Tensor:
    return F.normalize(torch.randn(count, 6, generator=Generator().manual_seed(1)), dim=1)


def test_full_softmax_is_equation_2() -> None:
    one, asked, indices = bank(), queries(3), torch.tensor([4, 0, 8])
    losses = []
    for query, index in zip(asked, indices, strict=True):
        weights = [math.exp((query @ vector).item() / 0.2) for vector in one.vectors]
        losses.append(-math.log(weights[index] / sum(weights)))
    assert one.loss(asked, indices, None).item() == pytest.approx(sum(losses) / 3, rel=1e-5)


def test_with_negatives_it_is_the_softmax_over_them_and_the_entry() -> None:
    one, asked, indices = bank(negatives=2), queries(2), torch.tensor([4, 0])
    negatives = torch.tensor([[1, 2], [8, 8]])
    losses = []
    for query, index, others in zip(asked, indices, negatives, strict=True):
        weights = [math.exp((query @ one.vectors[number]).item() / 0.2) for number in [index, *others]]
        losses.append(-math.log(weights[0] / sum(weights)))
    assert one.loss(asked, indices, negatives).item() == pytest.approx(sum(losses) / 2, rel=1e-5)


def test_noise_contrast_is_equations_6_and_7() -> None:
    probabilities = torch.tensor([[0.3, 0.1, 0.02], [0.01, 0.5, 0.2]])
    entries, losses = 10, []
    for right, *others in probabilities.tolist():
        noise = 2 / entries
        loss = -math.log(right / (right + noise))
        loss += sum(-math.log(1 - other / (other + noise)) for other in others)
        losses.append(loss)
    assert noise_contrast(probabilities.log(), entries).item() == pytest.approx(sum(losses) / 2, rel=1e-5)


def test_the_normalising_constant_is_that_of_the_first_batch() -> None:
    one = bank(objective="nce", negatives=2)
    indices, negatives = torch.tensor([4, 0]), torch.tensor([[1, 2], [8, 8]])
    first = queries(2)
    compared = one.vectors[torch.cat([indices[:, None], negatives], dim=1)]
    weights = torch.stack([(vectors @ query / 0.2).exp() for vectors, query in zip(compared, first, strict=True)])
    z = weights.mean() * 9
    expected = noise_contrast((weights / z).log(), 9)
    torch.testing.assert_close(one.loss(first, indices, negatives), expected)
    assert one.log_z.item() == pytest.approx(math.log(z), rel=1e-5)
    one.loss(-first, indices, negatives)
    assert one.log_z.item() == pytest.approx(math.log(z), rel=1e-5)


def test_negatives_are_the_other_entries_alike_often() -> None:
    drawn = bank(5, negatives=4000).drawn(torch.tensor([2, 0]), Generator().manual_seed(0))
    assert drawn is not None
    for row, own in zip(drawn, (2, 0), strict=True):
        counts = row.bincount(minlength=5)
        assert counts[own] == 0
        assert all(800 < count < 1200 for number, count in enumerate(counts.tolist()) if number != own)
    assert bank(negatives=0).drawn(torch.tensor([2]), Generator()) is None


def test_an_update_keeps_a_share_of_the_old_vector_and_length_one() -> None:
    one = bank(momentum=0.25)
    before, new = one.vectors.clone(), queries(2)
    one.update(torch.tensor([3, 7]), new)
    torch.testing.assert_close(one.vectors[[3, 7]], F.normalize(0.25 * before[[3, 7]] + 0.75 * new, dim=1))
    others = [0, 1, 2, 4, 5, 6, 8]
    assert torch.equal(one.vectors[others], before[others])


def test_no_gradient_reaches_the_bank_and_no_weights_file_holds_it() -> None:
    one = bank(objective="nce", negatives=2)
    asked = queries(2).requires_grad_()
    one.loss(asked, torch.tensor([4, 0]), torch.tensor([[1, 2], [8, 8]])).backward()
    assert asked.grad is not None
    assert not one.vectors.requires_grad
    assert set(one.state_dict()) == {"log_z", "estimated"}


def test_some_pictures_are_drawn_in_their_order_or_all() -> None:
    table = {"row": torch.arange(50), "time": torch.arange(50) / 2}
    chosen = drawn_pictures(table, 20, Generator().manual_seed(0))
    assert len(chosen["row"].unique()) == 20
    assert torch.equal(chosen["row"], chosen["row"].sort().values)
    assert torch.equal(chosen["time"], chosen["row"] / 2)
    assert all(drawn_pictures(table, count, Generator()) is table for count in (0, 50, 60))


def test_is_computed_in_fp32_under_autocast() -> None:
    one, asked, indices = bank(), queries(3), torch.tensor([4, 0, 8])
    with torch.autocast("cpu", torch.bfloat16):
        half = one.loss(asked, indices, None)
    assert torch.equal(half, one.loss(asked, indices, None))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"momentum": 1.0}, "momentum must be at least 0 and less than 1"),
        ({"objective": "hinge"}, "objective must be cross_entropy or nce"),
        ({"objective": "nce"}, "nce takes 1 or more negatives: 0"),
        ({"negatives": -1}, "cross_entropy takes 0 or more negatives: -1"),
    ],
)
def test_wrong_arguments_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bank(**changes)
