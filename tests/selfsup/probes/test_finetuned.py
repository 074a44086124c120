"""Fine-tuning: a copy learns, with all labels and with few; what was pretrained stays as it was."""

import copy

import pytest
import torch
from torch import Generator

from selfsup.networks.per_frame import PerFrameConvNet
from selfsup.networks.rescaling import kernel_norms
from selfsup.probes.finetuned import FinetunedAction, at_initial_norms
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.views.geometry import RandomCrop

PROTOCOL = {
    "label": "colour",
    "steps": 30,
    "few_steps": 30,
    "batch_size": 16,
    "learning_rate": 0.01,
    "precision": "fp32",
    "few_labels": 5,
    "crop": RandomCrop(scale=(0.9, 1.0), ratio=(1.0, 1.0), flip=0.5),
}


@pytest.fixture
def splits(make_source) -> list:
    """Clips of four frames that get brighter or darker."""
    sources = [make_source(count, table="clips", frames=4, classes=2, seed=count) for count in (60, 20, 40)]
    for source in sources:
        count = len(source.clips)
        brighter = torch.tensor([40, 70, 100, 130])
        levels = torch.where(source.labels["colour"][:, None] == 1, brighter, brighter.flip(0))
        noise = torch.randint(40, (count, 4, 3, 16, 16), generator=Generator().manual_seed(count))
        source.clips = (levels[:, :, None, None, None] + noise).to(torch.uint8)
    return sources


@pytest.fixture
def encoder() -> PerFrameConvNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return PerFrameConvNet(widths=[4, 8], side=16, frames=4, seconds=3.0, contrast=2.0, stabilised=False)


def evaluate(encoder: PerFrameConvNet, splits: list, seed: int = 0, **changes) -> dict[str, Evaluation]:
    train, validation, test = splits
    numbers = FinetunedAction(**{**PROTOCOL, **changes}).evaluate(
        Pretrained({"encoder": encoder}, None), train=train, validation=validation, test=test, device="cpu", seed=seed
    )
    return {number.metric: number for number in numbers}


def test_order_is_learned_with_all_labels_and_with_few_and_the_encoder_is_left_alone(encoder, splits) -> None:
    before = copy.deepcopy(encoder.state_dict())
    numbers = evaluate(encoder, splits)
    assert list(numbers) == ["top1", "top1_few", "top1_blind", "top1_blind_few"]
    right = {}
    for metric, number in numbers.items():
        said = number.predictions
        assert said["row"].tolist() == list(range(40))
        right[metric] = (said["prediction"] == said["label"]).mean()
    # The two classes are each other's frames in reverse: nobody could tell their averages apart.
    assert min(right["top1"], right["top1_few"]) > 0.9
    assert max(right["top1_blind"], right["top1_blind_few"]) < 0.7
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_same_seed_gives_the_same_answers_and_another_one_others(encoder, splits) -> None:
    first, again, other = (evaluate(encoder, splits, seed, few_steps=5)["top1_few"] for seed in (1, 1, 2))
    assert (first.predictions["scores"] == again.predictions["scores"]).all()
    assert (first.predictions["scores"] != other.predictions["scores"]).any()


def test_precision_is_that_of_the_training(encoder, splits) -> None:
    exact, rough = (evaluate(encoder, splits, steps=5, precision=one)["top1"] for one in ("fp32", "bf16"))
    difference = abs(exact.predictions["scores"] - rough.predictions["scores"])
    assert 0 < difference.max() < 0.2


def test_one_class_is_nothing_to_tell_apart(encoder, splits) -> None:
    splits[0].labels["colour"][:] = 1
    with pytest.raises(ValueError, match="fine-tuning: all 60 training clips have the same 'colour'"):
        evaluate(encoder, splits)


def test_kernels_are_brought_to_an_initialisations_length_and_compute_the_same() -> None:
    torch.manual_seed(0)
    trained = PerFrameConvNet(widths=[4, 8], side=16, frames=2, seconds=1.0, contrast=0.0, stabilised=False).eval()
    with torch.no_grad():
        for parameter in trained.parameters():
            if parameter.ndim == 4:
                parameter *= 3
    rescaled, could = at_initial_norms(trained)
    fresh = PerFrameConvNet(widths=[4, 8], side=16, frames=2, seconds=1.0, contrast=0.0, stabilised=False)
    assert could
    for one, other in zip(kernel_norms(rescaled), kernel_norms(fresh), strict=True):
        assert one == pytest.approx(other, rel=0.2)
    frames = torch.rand(3, 2, 3, 16, 16) * 2 - 1
    for before, after in zip(trained.blocks(frames), rescaled.eval().blocks(frames), strict=True):
        torch.testing.assert_close(after, before, atol=5e-3, rtol=5e-3)
