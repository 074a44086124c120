"""Flow is that of the picture, and motion that of what moves in it, not of the camera."""

import cv2
import numpy as np
import pytest

from pipeline.media.flow import flow, motion

SIDE = 64


def texture(side: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    blurred = sum(sigma * cv2.GaussianBlur(noise, (0, 0), sigma) for sigma in (2, 4, 8))
    return (255 * (blurred - blurred.min()) / np.ptp(blurred)).astype(np.float32)


GROUND, SQUARE = texture(300, 0), texture(24, 1)


def film(camera: np.ndarray, velocity: tuple[float, float] | None, count: int = 12) -> np.ndarray:
    """(T, 64, 64, 3) uint8. camera: (2, 3), what it does to the ground from frame to frame. velocity: of a square of
    24 px in px a frame, None for none."""
    pose = np.array([[1, 0, -100.0], [0, 1, -100], [0, 0, 1]])
    frames = []
    for number in range(count):
        frame = cv2.warpAffine(GROUND, pose[:2], (SIDE, SIDE))
        if velocity is not None:
            at = np.array([[1.0, 0, 16 + velocity[0] * number], [0, 1, 20 + velocity[1] * number]])
            mask = cv2.warpAffine(np.ones_like(SQUARE), at, (SIDE, SIDE))
            frame = frame * (1 - mask) + mask * cv2.warpAffine(SQUARE, at, (SIDE, SIDE))
        frames.append(frame + np.random.default_rng(number).normal(size=frame.shape) * 3)
        pose = np.vstack([camera, [0, 0, 1]]) @ pose
    return np.repeat(np.clip(frames, 0, 255).astype(np.uint8)[..., None], 3, axis=3)


STILL = np.array([[1.0, 0, 0], [0, 1, 0]])
CAMERAS = {
    "still": STILL,
    "pan": np.array([[1, 0, 2.0], [0, 1, -1.0]]),
    "zoom": cv2.getRotationMatrix2D((32, 32), 0, 1.02),
    "roll": cv2.getRotationMatrix2D((32, 32), 1.5, 1.0),
}


def test_flow_is_the_way_that_the_picture_went_since_the_frame_before() -> None:
    made = flow(film(CAMERAS["pan"], None))
    assert made.shape == (12, 32, 32, 2)
    assert not made[0].any()
    np.testing.assert_allclose(np.median(made[1:], axis=(1, 2)), np.tile([1.0, -0.5], (11, 1)), atol=0.1)


def test_the_square_is_where_its_flow_is() -> None:
    made = flow(film(STILL, (1.5, 0.5)))
    inside = made[4, 14:20, 15:21].reshape(-1, 2)
    np.testing.assert_allclose(np.median(inside, axis=0), [0.75, 0.25], atol=0.15)
    assert np.abs(made[4, :, 26:]).max() < 0.3


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_camera_alone_is_no_motion(camera: str) -> None:
    made = flow(film(CAMERAS[camera], None))
    assert motion(made)[0] == 0
    assert motion(made)[1:].mean() < 0.1
    if camera != "still":
        assert 2 * np.hypot(*np.moveaxis(made[1:], 3, 0)).mean() > 0.4


@pytest.mark.parametrize("camera", CAMERAS)
def test_what_moves_before_a_moving_camera_is_motion(camera: str) -> None:
    """A square of 24 px that goes 2 px a frame relative to the ground is 2 * 24^2 / 64^2 = .28 px on average."""
    ground = CAMERAS[camera][:, 2] if camera == "pan" else np.zeros(2)
    made = motion(flow(film(CAMERAS[camera], (ground[0] + 1.6, ground[1] + 1.2), count=8)))
    assert made[2:].mean() == pytest.approx(2 * 24**2 / SIDE**2, abs=0.15)


@pytest.mark.parametrize("side", [8, 15, 33, 256])
def test_any_side_of_a_store_has_its_flow(side: int) -> None:
    frames = np.stack([cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA) for frame in film(STILL, (2, 0))])
    made = flow(frames)
    assert made.shape == (12, side // 2, side // 2, 2)
    assert np.isfinite(motion(made)).all()
    assert len(flow(frames[:0])) == len(motion(flow(frames[:0]))) == 0
    assert motion(flow(frames[:1])).tolist() == [0]
