"""`show`: what it prints of numbers."""

import numpy as np
import pytest

from pipeline.user_data.show import spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([64, 64, 64], "all 64"),
        ([24.99999, 25.00001], "all 25"),
        ([60, 64, 80], "60 to 80, half of them below 64"),
    ],
)
def test_a_constant_is_printed_as_one(values: list[float], expected: str) -> None:
    assert spread(np.array(values)) == expected
