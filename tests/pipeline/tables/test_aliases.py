"""An alias means one number, or says what it could mean."""

import pytest

from pipeline.errors import UserError
from pipeline.tables import lecture
from pipeline.tables.aliases import over_seeds, resolve, short_alias, with_seeds
from pipeline.tables.lecture import read_lecture

IDS = with_seeds(
    [
        "smoke/toyworld/rotation/seed-0/toyworld/linear/block3/top1",
        "smoke/toyworld/rotation/seed-1/toyworld/linear/block4/top1",
        "smoke/toyworld/random/seed-0/toyworld/linear/block2/top1",
        "smoke/toyworld/random/seed-0/stills/linear/block2/top1",
    ]
)
ROTATION = "smoke/toyworld/rotation/seeds/toyworld/linear/chosen/top1"


@pytest.fixture(scope="module")
def the_lecture() -> lecture.Lecture:
    return read_lecture()


@pytest.mark.parametrize(
    ("alias", "meaning"),
    [
        ("rotation.linear.top1", ROTATION),
        ("rotation.top1", ROTATION),
        (ROTATION, ROTATION),
        ("6.17", ROTATION),
        ("6.17.1", ROTATION),
        ("rotation.seed-0.linear.top1", "smoke/toyworld/rotation/seed-0/toyworld/linear/block3/top1"),
        ("rotation.linear.block4.top1", "smoke/toyworld/rotation/seed-1/toyworld/linear/block4/top1"),
        ("random.stills.linear.top1", "smoke/toyworld/random/seeds/stills/linear/block2/top1"),
        ("random.toyworld.linear.top1", "smoke/toyworld/random/seeds/toyworld/linear/block2/top1"),
    ],
)
def test_what_an_alias_means(the_lecture: lecture.Lecture, alias: str, meaning: str) -> None:
    assert resolve(alias, IDS, the_lecture) == meaning


@pytest.mark.parametrize(
    ("alias", "line"),
    [
        ("random.linear.top1", r"could mean 2 numbers: random\.stills\.linear\.top1, random\.toyworld\.linear\.top1"),
        ("linear.top1", "could mean 3 numbers"),
        ("rotaton.linear.top1", r"no such number; did you mean 'rotation\.linear\.top1'\?"),
        ("top1.linear.rotation", "no such number"),
        ("3.4", "'Rotation': nothing is measured there yet"),
        ("99.1", "the lecture has tables 1 to 14"),
        ("6.99", "table 6 has 18 rows"),
        ("0.1", "the lecture has tables 1 to 14"),
    ],
)
def test_an_alias_that_does_not_mean_one_number_says_so(the_lecture: lecture.Lecture, alias: str, line: str) -> None:
    with pytest.raises(UserError, match=line):
        resolve(alias, IDS, the_lecture)


def test_every_number_has_an_alias_that_means_it(the_lecture: lecture.Lecture) -> None:
    assert [resolve(short_alias(id, IDS), IDS, the_lecture) for id in IDS] == IDS


def test_aliases_are_as_short_as_they_can_be() -> None:
    assert short_alias(ROTATION, IDS) == "rotation.linear.top1"
    assert short_alias("smoke/toyworld/random/seeds/stills/linear/block2/top1", IDS) == "random.stills.linear.top1"


def test_seeds_that_chose_one_layer_keep_its_name() -> None:
    ids = with_seeds(f"smoke/toyworld/rotation/seed-{seed}/toyworld/linear/block3/top1" for seed in range(3))
    assert "smoke/toyworld/rotation/seeds/toyworld/linear/block3/top1" in ids


def test_numbers_over_seeds_have_their_members_in_order() -> None:
    place = "smoke/toyworld/rotation/{}/toyworld/linear/{}/top1"
    own = [place.format("seed-1", "block2"), place.format("seed-0", "block1"), place.format("seed-0", "block1")]
    assert over_seeds(own) == {place.format("seeds", "chosen"): own[:2]}
