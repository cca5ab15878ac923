from itertools import islice

import numpy as np
import pytest
import torch

from model.seeding import Purpose, derive_seed, seed_generators, uniforms, uniforms_of_one


def test_a_number_depends_on_its_example_only_not_on_the_batch():
    key = derive_seed(7, Purpose.CROP, 3)
    together = uniforms(key, np.arange(100), 4)
    apart = np.concatenate([uniforms(key, np.array([i]), 4) for i in range(100)])
    assert np.array_equal(together, apart)


@pytest.mark.parametrize("key", [0, 2**64 - 1, derive_seed(7, Purpose.CROP, 3)])
def test_one_example_alone_draws_the_same_numbers(key):
    for index in (0, 1, 171_000):
        row = list(islice(uniforms_of_one(key, index), 40))
        assert row == uniforms(key, np.array([index]), 40)[0].tolist()


def test_numbers_are_uniform_and_unrelated():
    draws = uniforms(derive_seed(0, Purpose.FLIP, 0), np.arange(20_000), 2)
    assert draws.min() >= 0
    assert draws.max() < 1
    shares = np.histogram(draws, bins=10, range=(0, 1))[0] / draws.size
    assert shares == pytest.approx(np.full(10, 0.1), abs=0.01)
    assert abs(np.corrcoef(draws[:, 0], draws[:, 1])[0, 1]) < 0.03
    assert abs(np.corrcoef(draws[:-1, 0], draws[1:, 0])[0, 1]) < 0.03


def test_seed_purpose_epoch_and_rank_all_matter():
    positions = [(s, p, e, r) for s in (0, 1) for p in Purpose for e in (0, 1) for r in (0, 1)]
    assert len({derive_seed(*position) for position in positions}) == len(positions)


def test_restarted_generators_repeat_themselves():
    def draw():
        return torch.rand(3).tolist(), np.random.rand(3).tolist()

    seed_generators(5, Purpose.EPOCH, 2, 0)
    first = draw()
    seed_generators(5, Purpose.EPOCH, 2, 0)
    assert draw() == first
    seed_generators(5, Purpose.EPOCH, 2, 1)
    assert draw() != first
