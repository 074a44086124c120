"""Pictures as JPEG with colours at full resolution: what half-resolution colours smear, pretext tasks would go by."""

import cv2
import numpy as np


def encoded(picture: np.ndarray, quality: int) -> bytes:
    """picture: (H, W, 3) uint8 RGB; quality: 1 to 100."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    # Codes for this very picture: a seventh less bytes.
    settings += [cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    _, content = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), settings)
    return content.tobytes()


def decoded(content: np.ndarray) -> np.ndarray:
    """content: (N,) uint8 -> (H, W, 3) uint8 RGB. Raises ValueError for what is no JPEG."""
    try:
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise ValueError(str(error)) from error
    if picture is None:
        raise ValueError("a picture is no JPEG")
    return np.asarray(picture)
