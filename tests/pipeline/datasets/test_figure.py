"""toyworld's actor: rigid bones above the ground, still outside its action, pairs that differ in order alone, and a
body that covers its joints."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.datasets.toyworld.figure import ACTIONS, JOINTS, Performance, dress, layers, perform, pixels
from pipeline.datasets.toyworld.figure.actions import PROP

TIMES = np.arange(25) / 12.5
PAIRS = [("sit_down", "stand_up"), ("pick_up", "put_down"), ("throw", "catch")]
BACKGROUND = np.array([50.0, 5.0, -5.0])
LIMBS = [("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")]


def act(action: str, seed: int, *, seat: bool = True, times: NDArray[np.float64] = TIMES) -> Performance:
    return perform(action, times, np.random.default_rng(seed), seat=seat)


def joint(performance: Performance, name: str) -> NDArray[np.float64]:
    return performance.joints[:, JOINTS.index(name)]


def middle(performance: Performance, name: str) -> NDArray[np.float64]:
    return (joint(performance, f"left_{name}") + joint(performance, f"right_{name}")) / 2


def cover(performance: Performance, mirrored: bool, side: int, *, prop: bool) -> NDArray[np.uint8]:
    """(T, side, side) how much of each pixel of a picture the figure covers, without the prop if so asked."""
    body = dress(0.5 * side, BACKGROUND, 1.0, np.random.default_rng(5))
    out = np.zeros((len(performance.joints), side, side), np.uint8)
    for sprite, poses in layers(body, performance, np.array([0.0, 0.3 * side]), mirrored):
        if sprite is body.parts["prop"].sprite and not prop:
            continue
        for index, pose in enumerate(poses):
            matrix = pose.copy()
            centre = (np.array(sprite.pixels.shape[1::-1]) - 1) / 2
            matrix[:, 2] += (side - 1) / 2 - matrix[:, :2] @ centre
            out[index] = np.maximum(out[index], cv2.warpAffine(sprite.pixels, matrix, (side, side))[..., 3])
    return out


def test_names() -> None:
    assert len(JOINTS) == len(set(JOINTS)) == 13
    assert len(ACTIONS) == len(set(ACTIONS)) == 10
    with pytest.raises(ValueError, match=r"'moonwalk'.*sit_down"):
        act("moonwalk", 0)


@pytest.mark.parametrize("action", ACTIONS)
def test_the_same_seed_gives_the_same_and_another_one_something_else(action: str) -> None:
    one, same, other = act(action, 1), act(action, 1), act(action, 2)
    assert np.array_equal(one.joints, same.joints)
    assert np.array_equal(one.prop, same.prop)
    assert (one.start, one.end) == (same.start, same.end)
    assert np.abs(one.joints - other.joints).max() > 0.02
    first, second, third = (dress(48, BACKGROUND, 1.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for name, part in first.parts.items():
        assert np.array_equal(part.sprite.pixels, second.parts[name].sprite.pixels)
    assert not np.array_equal(first.parts["torso"].sprite.pixels, third.parts["torso"].sprite.pixels)


@pytest.mark.parametrize("action", ACTIONS)
def test_bones_are_rigid(action: str) -> None:
    for seed in range(10):
        done = act(action, seed, seat=bool(seed % 2))
        bones = [
            joint(done, f"{side}_{first}") - joint(done, f"{side}_{second}")
            for side in ("left", "right")
            for first, second in LIMBS
        ]
        bones += [middle(done, "shoulder") - middle(done, "hip"), middle(done, "shoulder") - joint(done, "head")]
        for bone in bones:
            length = np.linalg.norm(bone, axis=1)
            assert np.ptp(length) < 0.01 * length.mean()


@pytest.mark.parametrize("action", ACTIONS)
def test_the_actor_stands_on_the_ground_or_above_it_one_body_high(action: str) -> None:
    for seed in range(20):
        done = act(action, seed, seat=bool(seed % 2))
        assert (done.joints[..., 1] < -0.02).all()  # even an ankle has a sole below
        assert (done.prop[:, 1] < -0.04).all() or not done.prop_visible.all()
        standing = -1 if action == "stand_up" else 0
        assert -0.96 < joint(done, "head")[standing, 1] < -0.8  # the head reaches a tenth higher
        assert abs(middle(done, "hip")[0, 0]) < 1e-9
        if action != "jump":
            planted = np.minimum(-joint(done, "left_ankle")[:, 1], -joint(done, "right_ankle")[:, 1])
            assert planted.max() < 0.2 if action == "fall" else planted.max() < 0.06


@pytest.mark.parametrize("action", ACTIONS)
def test_the_actor_is_still_but_for_its_breath_outside_the_action(action: str) -> None:
    for seed in range(20):
        done = act(action, seed)
        assert TIMES[0] < done.start < done.end < TIMES[-1]
        assert 0.6 <= done.end - done.start <= 1.3
        for still in (done.joints[done.start >= TIMES], done.joints[done.end <= TIMES]):
            assert np.ptp(still, axis=0).max() < 0.02
        assert np.ptp(done.joints[(done.start < TIMES) & (done.end > TIMES)], axis=0).max() > 0.1


def test_an_action_lies_anywhere_in_its_clip_and_favours_no_direction_of_time() -> None:
    starts = np.array([[done.start, TIMES[-1] - done.end] for done in (act("jump", seed) for seed in range(400))])
    assert np.ptp(starts[:, 0]) > 0.8
    before, after = starts.mean(axis=0)
    assert abs(before - after) < 0.1


@pytest.mark.parametrize(("forwards", "backwards"), PAIRS)
def test_a_pair_shares_every_pose_and_place_of_the_prop_and_differs_in_order(forwards: str, backwards: str) -> None:
    times = np.arange(0, 2, 0.005)
    for seed in range(8):
        one, other = (act(action, seed, times=times) for action in (forwards, backwards))
        assert one.seat is not None
        assert other.seat is not None
        # The seat stays where it is, so places are compared from there.
        joints = [(done.joints - done.seat).reshape(len(times), -1) for done in (one, other)]
        apart = np.abs(joints[0][:, None] - joints[1][None]).max(axis=2)
        assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 0.03
        assert max(apart[0, -1], apart[-1, 0]) < 0.03
        if forwards == "sit_down":
            assert min(apart[0, 0], apart[-1, -1]) > 0.2
        elif forwards == "pick_up":
            assert np.abs((one.prop - one.seat)[[0, -1]] - (other.prop - other.seat)[[-1, 0]]).max() < 0.03
            assert np.abs((one.prop - one.seat)[0] - (other.prop - other.seat)[0]).max() > 0.2
        else:
            assert one.prop_visible[0]
            assert other.prop_visible[-1]
            assert not (one.prop_visible[-1] and other.prop_visible[0])
            # A thrown prop is in sight for as long as the clip allows: of its flight, what both show.
            props = [(done.prop - done.seat)[done.prop_visible] for done in (one, other)]
            both = min(prop[:, 0].max() for prop in props)
            props = [prop[prop[:, 0] <= both] for prop in props]
            apart = np.abs(props[0][:, None] - props[1][None]).max(axis=2)
            assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 0.03


def test_what_lies_or_is_held_tells_no_action_and_no_order() -> None:
    """Every still moment of an action finds the prop held, lying or away, and of a pair both have the same two."""
    seen: dict[str, set[str]] = {}
    for action in ACTIONS:
        for seed in range(40):
            done = act(action, seed)
            for frame in (0, -1):
                lies = abs(done.prop[frame, 1] + PROP) < 1e-6
                state = "away" if not done.prop_visible[frame] else "lying" if lies else "held"
                seen.setdefault(action, set()).add(state)
    assert seen["pick_up"] == seen["put_down"] == {"lying", "held"}
    assert seen["throw"] == seen["catch"] == {"held", "away"}
    others = set(ACTIONS) - {"pick_up", "put_down", "throw", "catch"}
    assert all(seen[action] == {"held", "lying", "away"} for action in others)


def test_a_seat_is_there_whatever_the_action_and_is_sat_on() -> None:
    for action in ACTIONS:
        assert act(action, 3, seat=False).seat is None
        assert act(action, 3).seat is not None
    for seed in range(10):
        done, ground = act("sit_down", seed), act("sit_down", seed, seat=False)
        assert done.seat is not None
        assert np.abs(middle(done, "hip")[-1] - done.seat).max() < 0.1
        assert middle(done, "hip")[-1, 1] < done.seat[1]
        assert middle(ground, "hip")[-1, 1] > -0.12


def test_things_move_without_jumps_and_a_throw_leaves_the_picture() -> None:
    times = np.arange(0, 2, 0.002)
    for action in ACTIONS:
        for seed in range(10):
            done = act(action, seed, times=times)
            assert np.abs(np.diff(done.joints, axis=0)).max() < 0.05
            shown = done.prop_visible[1:] & done.prop_visible[:-1]
            assert (np.abs(np.diff(done.prop, axis=0)[shown]) < 0.05).all()
    for seed in range(10):
        thrown, caught = act("throw", seed), act("catch", seed)
        assert thrown.prop[thrown.prop_visible, 0].max() > 1.0
        assert caught.prop[caught.prop_visible, 0].max() > 1.0
        assert thrown.prop_visible[0]
        assert caught.prop_visible[-1]


def test_only_a_fall_hits_the_ground_and_it_stays_there() -> None:
    for action in ACTIONS:
        for seed in range(10):
            done = act(action, seed, seat=bool(seed % 2))
            if action != "fall":
                assert done.impacts == ()
                continue
            (impact,) = done.impacts
            assert done.start < impact < done.end
            assert (joint(done, "head")[impact < TIMES, 1] > -0.35).all()
            assert (joint(done, "head")[done.start > TIMES, 1] < -0.75).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_body_covers_its_joints(mirrored: bool) -> None:
    side = 96
    for action in ACTIONS:
        for seed in range(3):
            done = act(action, seed)
            covered = cover(done, mirrored, side, prop=False)
            body = dress(0.5 * side, BACKGROUND, 1.0, np.random.default_rng(5))
            at = pixels(body, done, np.array([0.0, 0.3 * side]), mirrored) + (side - 1) / 2
            inside = ((at > 0) & (at < side - 1)).all(axis=2)
            frame, place = np.nonzero(inside)
            column, row = np.round(at[frame, place]).astype(int).T
            assert (covered[frame, row, column] > 128).mean() > 0.995
            assert inside.mean() > 0.9


def test_mirroring_turns_the_picture_and_swaps_left_and_right() -> None:
    done = act("kick", 4)
    body = dress(48, BACKGROUND, 1.0, np.random.default_rng(0))
    plain, turned = (pixels(body, done, np.zeros(2), mirrored) for mirrored in (False, True))
    left, right = JOINTS.index("left_ankle"), JOINTS.index("right_ankle")
    assert np.allclose(turned[:, left], plain[:, right] * [-1, 1])
    assert np.allclose(turned[:, 0], plain[:, 0] * [-1, 1])
    one, other = (cover(done, mirrored, 96, prop=True) for mirrored in (False, True))
    assert np.abs(one.astype(int) - other[..., ::-1]).max() <= 8


def test_sprites_are_few_small_and_premultiplied() -> None:
    for seed in range(20):
        body = dress(64, BACKGROUND, 1.0, np.random.default_rng(seed))
        drawn = layers(body, act("throw", seed), np.zeros(2), False)
        assert len(drawn) <= 14
        for sprite, poses in drawn:
            assert poses.shape == (25, 2, 3)
            assert max(sprite.pixels.shape[:2]) < 0.65 * 1.4 * 64
            assert (sprite.pixels[..., :3] <= sprite.pixels[..., 3:]).all()
            border = np.ones(sprite.pixels.shape[:2], bool)
            border[1:-1, 1:-1] = False
            assert not sprite.pixels[border].any()


def test_order_tells_the_actions_apart_and_a_mean_pose_does_not_tell_pairs() -> None:
    rng = np.random.default_rng(0)
    moves = np.stack([perform(ACTIONS[place % 10], TIMES, rng, seat=bool(place % 3)).joints for place in range(1300)])
    moves = (moves - moves.mean(axis=(1, 2), keepdims=True)).reshape(1300, 25, -1)
    labels = np.arange(1300) % 10
    guesses = []
    for features in (moves.reshape(1300, -1), np.concatenate([moves.mean(axis=1), moves.std(axis=1)], axis=1)):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200))
        guesses.append(model.fit(features[:1000], labels[:1000]).predict(features[1000:]))
    ordered, blind = (guess == labels[1000:] for guess in guesses)
    assert ordered.mean() > 0.9
    paired = labels[1000:] < 6
    assert 0.35 < blind[paired].mean() < 0.65
    assert blind[~paired].mean() > 0.9
