"""Mined tuples keep Shuffle & Learn's constraints, whatever the clip, and depend on their own clip alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import paths
from pipeline.errors import UserError
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import read_receipt
from pipeline.mining.tuples import TOO_ALIKE, TOO_SHORT, TOO_STILL, FiveTuple, five_tuples, generator_of, ssd
from pipeline.parameters import read_parameters
from pipeline.parameters.models import Mining
from pipeline.stages.mine import mine
from pipeline.store import index
from pipeline.store.index import read_index, write_index
from pipeline.store.shards import ShardWriter
from pipeline.store.source import StoreSource
from pipeline.store.streams import Stream
from tests.project import enter_settings

RULES = Mining(seed=0, strategies=["motion", "uniform"], per_clip=4, tau_max=0.34, tau_min=0.08, motion=0.02, ssd=0.002)
SIDE = 8


def found(
    times: np.ndarray, motion: np.ndarray, frames: np.ndarray, rules: Mining, strategy: str, clip: str = "a"
) -> tuple[list[FiveTuple], str | None]:
    generator = generator_of(rules.seed, clip, strategy)
    return five_tuples(times, motion, frames.shape[1], lambda: ssd(frames), rules, strategy, generator)


@st.composite
def clips(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times with uneven intervals and a start of their own, motion in bursts, frames some of which are alike."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 40))
    interval = draw(st.sampled_from([1 / 30, 0.08, 1 / 15, 0.5]))
    times = draw(st.sampled_from([0.0, 0.021, 20.0])) + interval * np.arange(count)
    times = times + rng.uniform(-0.2, 0.2, count) * interval * draw(st.sampled_from([0, 1]))
    motion = rng.gamma(0.5, 1.0, count).astype(np.float32) * (rng.random(count) < draw(st.floats(0, 1)))
    motion[0] = 0
    looks = rng.integers(0, 255, (draw(st.integers(1, 6)), SIDE, SIDE, 3), dtype=np.uint8)
    return times, motion, looks[rng.integers(0, len(looks), count)]


rules_of = st.builds(
    Mining,
    seed=st.integers(0, 5),
    strategies=st.just(["motion"]),
    per_clip=st.integers(1, 5),
    tau_max=st.floats(0.05, 1),
    tau_min=st.floats(0, 0.3),
    motion=st.sampled_from([0.0, 0.1, 1.0]),
    ssd=st.sampled_from([0.0, 0.01, 0.3]),
)


@settings(max_examples=200, deadline=None)
@given(clips(), rules_of, st.sampled_from(["motion", "uniform"]))
def test_every_tuple_keeps_the_constraints(
    clip: tuple[np.ndarray, np.ndarray, np.ndarray], rules: Mining, strategy: str
) -> None:
    times, motion, frames = clip
    mined, reason = found(times, motion, frames, rules, strategy)
    assert len(mined) <= rules.per_clip
    assert (reason is None) == bool(mined)
    length = len(times) * (times[-1] - times[0]) / max(len(times) - 1, 1)
    for one in mined:
        a, b, c, d, e = one.frames
        assert 0 <= a < b < c < d < e < len(times)
        assert times[d] - times[b] <= rules.tau_max * length + 1e-5
        assert min(times[b] - times[a], times[e] - times[d]) >= rules.tau_min * length - 1e-5
        for other, value in ((a, one.ssd_ca), (e, one.ssd_ce)):
            difference = (frames[c].astype(float) - frames[other]) / 255
            assert value == pytest.approx((difference**2).sum(axis=2).mean(), abs=1e-5)
            assert value >= rules.ssd
        assert one.motion == pytest.approx(motion[b + 1 : d + 1].mean(), abs=1e-5)
        assert one.motion >= one.threshold
        if strategy == "motion":
            assert one.motion > 0
            assert one.threshold == pytest.approx(rules.motion * SIDE * length / len(times))
    windows = [(one.frames[1], one.frames[3]) for one in mined]
    assert len(set(windows)) == len(windows)


@settings(max_examples=100, deadline=None)
@given(clips(), rules_of)
def test_a_clip_without_tuples_has_none_that_keeps_the_constraints(
    clip: tuple[np.ndarray, np.ndarray, np.ndarray], rules: Mining
) -> None:
    """Against every choice of five frames, in clips short enough to go through them."""
    times, motion, frames = (one[:9] for one in clip)
    mined, _ = found(times, motion, frames, rules, "motion")
    count = len(times)
    interval = (times[-1] - times[0]) / max(count - 1, 1)
    near, far = rules.tau_max * count * interval + 1e-6, rules.tau_min * count * interval - 1e-6
    alike = ssd(frames)
    possible = any(
        times[d] - times[b] <= near
        and times[b] - times[a] >= far
        and times[e] - times[d] >= far
        and min(alike[c, a], alike[c, e]) >= rules.ssd
        and 0 < motion[b + 1 : d + 1].mean() >= rules.motion * SIDE * interval
        for b in range(1, count)
        for d in range(b + 2, count - 1)
        for c in range(b + 1, d)
        for a in range(b)
        for e in range(d + 1, count)
    )
    assert possible == bool(mined)


def moving(count: int = 25, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """2 s in which only the last third moves, no frame like another."""
    rng = np.random.default_rng(seed)
    motion = np.where(np.arange(count) > 2 * count // 3, 2.0, 0.1).astype(np.float32)
    return np.arange(count) * 0.08, motion, rng.integers(0, 255, (count, SIDE, SIDE, 3), dtype=np.uint8)


def test_windows_are_drawn_by_their_motion() -> None:
    times, motion, frames = moving()
    rules = RULES.model_copy(update={"per_clip": 1, "motion": 0.0})
    means = {
        strategy: np.mean([found(times, motion, frames, rules, strategy, f"clip {n}")[0][0].motion for n in range(300)])
        for strategy in ("motion", "uniform")
    }
    b, d = np.triu_indices(25, 2)
    fits = (d - b <= 8) & (b >= 2) & (d <= 22)
    window = np.array([motion[i + 1 : j + 1].mean() for i, j in zip(b[fits], d[fits], strict=True)])
    assert means["uniform"] == pytest.approx(window.mean(), abs=0.1)
    assert means["motion"] == pytest.approx((window**2).sum() / window.sum(), abs=0.1)


def test_clips_without_tuples_say_why() -> None:
    times, motion, frames = moving()

    def never() -> np.ndarray:
        raise AssertionError("frames are not read for a clip that is too still")

    generator = np.random.default_rng(0)
    assert five_tuples(times, motion * 0, SIDE, never, RULES, "motion", generator) == ([], TOO_STILL)
    assert five_tuples(times[:4], motion[:4], SIDE, never, RULES, "motion", generator) == ([], TOO_SHORT)
    assert found(times, motion, frames[:1].repeat(25, axis=0), RULES, "motion") == ([], TOO_ALIKE)
    assert found(times, motion * 0, frames, RULES, "uniform")[1] is None


def test_the_threshold_does_not_depend_on_the_frame_rate_or_the_store() -> None:
    """A motion of .1 of the picture a second, and a threshold just below and just above it."""
    for side, rate in ((8, 12.5), (32, 15), (16, 30)):
        count = round(2 * rate)
        frames = np.random.default_rng(0).integers(0, 255, (count, side, side, 3), dtype=np.uint8)
        motion = np.full(count, 0.1 * side / rate, np.float32)
        for threshold, reason in ((0.0999, None), (0.1001, TOO_STILL)):
            rules = RULES.model_copy(update={"motion": threshold})
            assert found(np.arange(count) / rate, motion, frames, rules, "motion")[1] == reason


STREAMS = {"frames": Stream("uint8", (SIDE, SIDE, 3), None), "motion": Stream("float32", (), None)}


@pytest.fixture
def decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with two shards of ten clips: one broken, one excluded, one still."""
    enter_settings(tmp_path, monkeypatch)
    fingerprints.refresh(read_parameters(), "smoke")
    folder = paths.decoded("smoke", "toyworld")
    (folder / "index").mkdir(parents=True)
    rows = []
    for shard in ("train-000", "train-001"):
        with ShardWriter(folder / f"{shard}.arrow", STREAMS) as writer:
            for _ in range(5):
                times, motion, frames = moving(seed=len(rows))
                if len(rows) == 7:
                    motion = motion * 0
                clip = f"toyworld/train/{len(rows)}"
                broken = {0: "cannot be decoded", 6: "excluded: withdrawn"}.get(len(rows))
                rows.append(
                    {"id": clip, "parent": clip, "start": 0.0, "end": times[-1], "split": "train", "shard": shard}
                    | {"frame_times": times.tolist(), "reason": broken}
                    | {"offset": writer.append({"frames": frames, "motion": motion})}
                )
    write_index(paths.index("smoke", "toyworld", "train"), rows, [])
    return folder


def mined(rules: Mining = RULES) -> pd.DataFrame:
    read = read_parameters()
    smoke = read.at("smoke").model_copy(update={"mining": rules})
    mine(read.model_copy(update={"scales": {**read.scales, "smoke": smoke}}), "smoke", "toyworld", "train")
    return pq.read_table(paths.tuples("smoke", "toyworld", "train")).to_pandas()


@pytest.mark.usefixtures("decoded")
def test_only_usable_clips_are_mined_and_the_rest_is_counted() -> None:
    table = mined()
    assert sorted(table.loc[table["strategy"] == "motion", "row"].unique()) == [1, 2, 3, 4, 5, 8, 9]
    assert sorted(table.loc[table["strategy"] == "uniform", "row"].unique()) == [1, 2, 3, 4, 5, 7, 8, 9]
    assert (table["id"] == "toyworld/train/" + table["row"].astype(str)).all()
    assert (table.groupby(["id", "strategy"]).size() == 4).all()
    notes = read_receipt(paths.receipt_beside(paths.tuples("smoke", "toyworld", "train")))["notes"]
    assert notes["clips"] == 8
    assert notes["tuples"] == {"motion": 28, "uniform": 32}
    assert notes["clips_without"] == {"motion": {TOO_STILL: 1}}


def test_a_clip_that_is_added_changes_no_other_ones_tuples(decoded: Path) -> None:
    before = mined()
    path = paths.index("smoke", "toyworld", "train")
    rows = read_index(path)
    again = pd.concat([rows.iloc[[9]].assign(id="toyworld/train/new", parent="toyworld/train/new"), rows])
    pq.write_table(pa.Table.from_pandas(again, index.schema([]), preserve_index=False), path)
    after = mined()
    assert (after["id"] == "toyworld/train/new").sum() == 8
    kept = after[after["id"] != "toyworld/train/new"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept.assign(row=kept["row"] - 1), before)
    assert not mined(RULES.model_copy(update={"seed": 1}))["a"].equals(after["a"])


def test_tuples_are_drawn_from_the_store(decoded: Path) -> None:
    table = mined()
    rows = read_index(paths.index("smoke", "toyworld", "train"))
    drawn = StoreSource(decoded, rows, "tuples", {}).table
    assert drawn["row"].tolist() == table["row"].tolist()
    assert drawn["strategy"].tolist() == [int(strategy == "uniform") for strategy in table["strategy"]]
    times = torch.stack([drawn[letter] for letter in "abcde"], dim=1)
    assert (times.diff(dim=1) > 0).all()
    with pytest.raises(UserError, match=r"train\.parquet: of another index than the one that is here"):
        StoreSource(decoded, rows.iloc[1:].reset_index(drop=True), "tuples", {})


def test_a_store_without_motion_is_refused(decoded: Path) -> None:
    frames = {"frames": STREAMS["frames"]}
    with ShardWriter(decoded / "train-000.arrow", frames) as writer:
        for _ in range(5):
            writer.append({"frames": moving()[2]})
    with pytest.raises(UserError, match=r"train-000\.arrow: mining needs the streams frames and motion"):
        mined()
