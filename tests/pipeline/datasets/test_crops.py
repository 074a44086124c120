"""Chosen stills show enough of their object, lie apart, and depend on their own clip alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.datasets.crops import Crops, Seen, still_ids

CROPS = Crops(seed=0, per_clip=2, visible=0.7, around=(1.1, 1.4), jitter=1.0, clips_per_shard=10)


@st.composite
def objects(draw: st.DrawFn) -> Seen:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(0, 30))
    corners = rng.uniform(0, 40, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(2, 50, (count, 2))], axis=1)
    visible = rng.random(count) * (rng.random(count) < draw(st.floats(0, 1))) + draw(st.sampled_from([0, 0.5]))
    boxes[visible == 0] = np.nan
    return Seen("bell", (92, 92), rng.permutation(100)[:count], boxes, np.minimum(visible, 1))


crops_of = st.builds(
    Crops,
    seed=st.integers(0, 5),
    per_clip=st.integers(1, 5),
    visible=st.floats(0, 1),
    around=st.tuples(st.floats(1, 1.5), st.floats(1.5, 3)),
    jitter=st.floats(0, 1),
    clips_per_shard=st.just(10),
)


@given(objects(), crops_of)
def test_every_still_shows_its_object_whole_in_a_square(seen: Seen, crops: Crops) -> None:
    chosen = crops.choose("toyworld/train/000001", seen)
    good = (seen.visible >= crops.visible) & np.isfinite(seen.boxes).all(axis=1)
    assert len(chosen) == (crops.per_clip if good.any() else 0)
    for still in chosen:
        [at] = np.flatnonzero(seen.frames == still.frame)
        assert seen.visible[at] >= crops.visible
        left, top, right, bottom = still.box
        assert right - left == bottom - top
        assert min(left, top) >= 0
        assert max(right, bottom) <= 92
        x, y, x_end, y_end = seen.boxes[at]
        larger = max(x_end - x, y_end - y)
        low, high = crops.around
        assert min(low * larger, 92) - 1 <= right - left <= high * larger + 1
        # Whole pixels: the box may be off by one at either side.
        assert left <= x + 1
        assert top <= y + 1
        assert right >= x_end - 1
        assert bottom >= y_end - 1


@given(objects(), crops_of)
def test_stills_of_a_clip_lie_apart(seen: Seen, crops: Crops) -> None:
    """At least as many good frames from each other, less one, as fall to a still."""
    chosen = sorted(still.frame for still in crops.choose("a", seen))
    good = sorted(seen.frames[(seen.visible >= crops.visible) & np.isfinite(seen.boxes).all(axis=1)])
    places = [good.index(frame) for frame in chosen]
    assert all(after - before >= len(good) // crops.per_clip for before, after in pairwise(places))


def test_where_the_object_is_in_its_still_varies() -> None:
    seen = Seen("bell", (96, 96), np.arange(20), np.tile([30.0, 30.0, 60.0, 50.0], (20, 1)), np.ones(20))
    stills = [still for number in range(500) for still in CROPS.choose(f"clip {number}", seen)]
    left, top, right, _ = np.array([still.box for still in stills]).T
    sides, across, down = right - left, left + (right - left) / 2 - 45, top + (right - left) / 2 - 40
    assert (sides.min(), sides.max()) == (33, 42)
    assert abs(across.mean()) < 0.4
    assert abs(down.mean()) < 0.4
    assert across.std() > 1
    assert len({still.frame for still in stills}) == 20


def test_a_clip_has_the_same_stills_whatever_else_there_is() -> None:
    seen = Seen("bell", (96, 96), np.arange(20), np.tile([30.0, 30.0, 60.0, 50.0], (20, 1)), np.ones(20))
    assert CROPS.choose("a", seen) == CROPS.choose("a", seen)
    assert CROPS.choose("a", seen) != CROPS.choose("b", seen)


def test_a_still_is_named_after_its_clip() -> None:
    assert list(still_ids("stills", "toyworld/test/a/000017", 2)) == [
        "stills/test/a/000017-0",
        "stills/test/a/000017-1",
    ]


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="around: expected the smaller end first"):
        Crops(seed=0, per_clip=2, visible=0.7, around=(1.4, 1.1), jitter=1.0, clips_per_shard=10)
