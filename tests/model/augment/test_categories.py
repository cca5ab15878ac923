import numpy as np
import pytest
import torch

from model.augment import hide_categories


def test_a_hidden_category_is_unknown_on_all_levels():
    ids = torch.full((1000, 2), 5)
    hidden = hide_categories(ids, 0, 0, np.arange(1000), 0.2)
    gone = (hidden == 0).all(dim=1)
    assert gone.float().mean().item() == pytest.approx(0.2, abs=0.04)
    assert (hidden[~gone] == 5).all()
    assert (ids == 5).all()
