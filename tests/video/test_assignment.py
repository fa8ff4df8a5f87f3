"""Pairs with the smallest sum, compared with trying all of them."""

from itertools import permutations

import numpy as np
import pytest

from fer.video.assignment import assign


def smallest_sum(costs: np.ndarray) -> float:
    wide = costs if costs.shape[0] <= costs.shape[1] else costs.T
    rows = np.arange(len(wide))
    return min(float(wide[rows, list(chosen)].sum()) for chosen in permutations(range(wide.shape[1]), len(wide)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (3, 5), (5, 3), (5, 5)])
def test_no_other_pairs_cost_less(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for number in range(30):
        costs = random.random(shape) if number % 2 else random.integers(0, 3, shape).astype(float)
        costs[random.random(shape) < 0.3] = 1e6  # as for two who cannot be the same
        pairs = assign(costs)
        assert pairs == sorted(pairs) and len(pairs) == min(shape)
        rows, columns = (list(side) for side in zip(*pairs, strict=True))
        assert len({*rows}) == len({*columns}) == len(pairs)
        assert costs[rows, columns].sum() == pytest.approx(smallest_sum(costs))
