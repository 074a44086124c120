import math
from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageOps
from torch import Generator

from selfsup.methods.image.moco_v3 import MoCoV3, TwoViews, contrastive_loss, solarised
from selfsup.methods.method import Progress
from selfsup.networks.vit import ViT
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

WHOLE = {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0}
NETWORK = {"patch": 4, "dim": 32, "depth": 2, "heads": 2, "side": 16}
PLAIN = {
    "pool": "class",
    "frozen_patches": True,
    "hidden": 64,
    "dims": 32,
    "temperature": 0.2,
    "momentum": 0.9,
    "crop": WHOLE,
    "brightness": 0.0,
    "contrast": 0.0,
    "saturation": 0.0,
    "hue": 0.0,
    "jitter": 0.0,
    "grayscale": 0.0,
    "sigma": [0.1, 0.5],
    "blur": [0.0, 0.0],
    "solarise": [0.0, 0.0],
}


def moco(**changes) -> MoCoV3:
    method = build(MoCoV3, PLAIN | changes, {"encoder": (ViT, NETWORK)}, seed=0)
    assert isinstance(method, MoCoV3)
    return method


def views_of(method: MoCoV3, source, count: int = 6) -> TwoViews:
    start = Progress(0, 1)
    batch = source.take(method.draw(source.table, torch.arange(count), Generator(), start))
    return method.views(batch, Generator().manual_seed(0), start)


def test_loss_by_hand() -> None:
    queries, keys = torch.randn(2, 5, 8, generator=Generator().manual_seed(0))
    by_hand = []
    for own, query in enumerate(queries):
        cosines = [(query @ key / query.norm() / key.norm()).item() / 0.2 for key in keys]
        by_hand.append(math.log(sum(math.exp(one) for one in cosines)) - cosines[own])
    expected = 2 * 0.2 * sum(by_hand) / len(by_hand)
    assert contrastive_loss(queries, keys, 0.2).item() == pytest.approx(expected, rel=1e-5)


def test_each_view_is_compared_with_the_other_ones_key(make_source) -> None:
    method = moco(crop=WHOLE | {"scale": [0.3, 1.0]}).eval()
    views = views_of(method, make_source(6))
    first, second = (
        contrastive_loss(method.query(a), method.key(b), 0.2)
        for a, b in (
            (views.first, views.second),
            (views.second, views.first),
        )
    )
    assert first.item() != second.item()
    assert method.loss(views)["contrast"].item() == pytest.approx((first + second).item(), rel=1e-5)


def test_solarising_is_that_of_pil() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    picture = Image.fromarray(levels.view(16, 16).numpy())
    expected = torch.tensor(list(ImageOps.solarize(picture).tobytes()))
    assert torch.equal(((solarised(levels / 127.5 - 1) + 1) * 127.5).round().long(), expected)


def test_views_are_changed_with_their_own_probabilities(make_source) -> None:
    source = make_source(6)
    upright = source.clips[:, 0].float() / 127.5 - 1
    plain = views_of(moco(), source)
    torch.testing.assert_close(plain.first, upright)
    torch.testing.assert_close(plain.second, upright)
    changed = views_of(moco(blur=[1.0, 0.0], solarise=[0.0, 1.0], sigma=[0.5, 0.5]), source)
    torch.testing.assert_close(changed.second, solarised(upright))
    neighbours = (changed.first[..., 1:] - changed.first[..., :-1]).abs().mean()
    assert neighbours < 0.7 * (upright[..., 1:] - upright[..., :-1]).abs().mean()


def test_the_patches_embedding_stays_if_it_is_frozen(make_source) -> None:
    for frozen in (True, False):
        method = moco(frozen_patches=frozen)
        before = method.encoder.patch_embed.weight.clone()
        pretrain(method, make_source(16), SHORT, seed=0, device="cpu")
        assert torch.equal(method.encoder.patch_embed.weight, before) == frozen


def test_the_copy_follows_by_its_momentum_and_stops_at_the_end() -> None:
    method = moco()
    name = "layers.0.mlp.fc1.weight"
    kept = method.copy.encoder.get_parameter(name)
    moved = method.encoder.get_parameter(name)
    before = kept.clone()
    with torch.no_grad():
        moved += 1
    views = TwoViews(torch.empty(0), torch.empty(0))
    # Half way: 1 - 0.1 * (1 + cos 90 degrees) / 2 = 0.95.
    method.after_step(views, Progress(5, 10))
    torch.testing.assert_close(kept, before + 0.05)
    method.after_step(views, Progress(10, 10))
    torch.testing.assert_close(kept, before + 0.05)


def test_no_gradient_reaches_the_copy_and_no_probe_takes_it(make_source) -> None:
    method = moco()
    assert list(method.encoders()) == ["encoder"]
    trained = {id(parameter) for parameter in method.groups()["main"]}
    assert not trained & {id(parameter) for parameter in method.copy.parameters()}
    method.loss(views_of(method, make_source(6)))["contrast"].backward()
    assert all(parameter.grad is None for parameter in method.copy.parameters())


def test_the_mean_is_of_the_patches_tokens(make_source) -> None:
    method = moco(pool="mean").eval()
    images = views_of(method, make_source(6)).first
    last = method.encoder.through(method.encoder.embedded(images))[-1]
    torch.testing.assert_close(method.pooled(method.encoder, images), sum(last[:, 1:].unbind(1)) / 16)
    torch.testing.assert_close(moco().pooled(method.encoder, images), method.encoder.norm(last)[:, 0])


@pytest.mark.slow
def test_training_tells_pictures_apart(make_source) -> None:
    method = moco(pool="mean", brightness=0.4, jitter=1.0)
    schedule = replace(SHORT, steps=100, batch_size=32, optimiser="adamw", learning_rate=0.003, log_every=20)
    source = make_source(64)
    # Pictures that differ in more than their noise: 4 x 4 squares of any colour.
    squares = torch.rand(64, 1, 3, 4, 4, generator=Generator().manual_seed(0))
    source.clips = (255 * squares).to(torch.uint8).repeat_interleave(4, dim=3).repeat_interleave(4, dim=4)
    with torch.no_grad():
        before = method.eval().pretext(views_of(method, source, 64))
    rows = pretrain(method, source, schedule, seed=0, device="cpu")
    # Chance is 2 directions * 2 * 0.2 * log 32.
    assert rows[-1]["contrast"] < 0.4 * 0.8 * math.log(32)
    with torch.no_grad():
        after = method.pretext(views_of(method, source, 64))
    right = [(one.scores.argmax(dim=1) == one.labels).float().mean().item() for one in (before, after)]
    assert after.scores.shape[0] == 64
    assert right[1] > max(0.9, right[0])


def test_sigmas_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="0 < least <= greatest"):
        moco(sigma=[2.0, 0.1])
