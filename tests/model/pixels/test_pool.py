import gc

import pytest
import torch

from model.pixels.pool import BatchMemory

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="torch's own pool serves there")


def test_memory_that_nobody_looks_at_is_used_again():
    memory = BatchMemory(4, 8)
    batch = memory.take(4)
    place = batch.data_ptr()
    del batch
    assert memory.take(3).data_ptr() == place


@pytest.mark.parametrize(
    "part",
    [
        lambda batch: batch[1:],
        lambda batch: batch.permute(0, 3, 1, 2),
        lambda batch: batch.numpy(),
        lambda batch: batch[0].numpy()[2:3],
        lambda batch: batch.detach().view(-1),
    ],
)
def test_memory_is_not_used_again_as_long_as_any_part_of_it_is_seen(part):
    memory = BatchMemory(4, 8)
    batch = memory.take(4).fill_(7)
    place = batch.data_ptr()
    kept = part(batch)
    del batch
    gc.collect()
    other = memory.take(4).fill_(9)
    assert other.data_ptr() != place
    assert (kept == 7).all()
    del kept
    assert memory.take(4).data_ptr() == place


def test_a_batch_outlives_its_memory():
    batch = BatchMemory(2, 4).take(2).fill_(5)
    gc.collect()
    assert (batch == 5).all()
    assert batch.shape == (2, 4, 4, 3)
    assert batch.dtype == torch.uint8
