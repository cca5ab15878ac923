from dataclasses import replace

import numpy as np
import pytest
import torch

from model import training
from model.batch import Batch
from model.devices import Compute, prepare_device
from model.experiment import start_trainee
from model.pixels.pool import BatchMemory
from model.prediction import predict
from model.prefetch import _lane, prefetched
from model.training import Listener, fit
from tests.model.conftest import CLASS_NAMES

CPU = torch.device("cpu")
SIDE, SIZE = 64, 32


def batches(count, taken=None, made_on="cpu"):
    """Batches whose every pixel is their number, in memory that is used again."""
    memory = BatchMemory(SIZE, SIDE)
    for number in range(count):
        if taken is not None:
            taken.append(number)
        images = memory.take(SIZE) if made_on == "cpu" else None
        if images is None:
            images = torch.empty((SIZE, SIDE, SIDE, 3), dtype=torch.uint8, device=made_on)
        places = torch.arange(SIZE) + SIZE * number
        readable = torch.ones(SIZE, dtype=torch.bool)
        yield Batch(images.fill_(number % 251), places % 5, places, readable)


def test_on_the_processor_batches_pass_through_one_by_one():
    taken = []
    source = list(batches(3))
    stream = prefetched(iter(source), CPU)
    assert [batch is given for batch, given in zip(stream, source, strict=True)] == [True] * 3
    stream = prefetched(batches(3, taken), CPU)
    next(stream)
    assert taken == [0]


def test_closing_it_closes_what_it_reads():
    ended = []

    def source():
        try:
            yield from batches(3)
        finally:
            ended.append(True)

    stream = prefetched(source(), CPU)
    next(stream)
    stream.close()
    assert ended == [True]


@pytest.fixture
def gpu():
    device = torch.device("cuda", 0)
    prepare_device(device, ranks=1)
    yield device
    torch.use_deterministic_algorithms(False)


def busy(device):
    """Keep the consumer's stream at work for a while."""
    torch.cuda._sleep(20_000_000)
    return torch.ones(1, device=device)


@pytest.mark.gpu
@pytest.mark.parametrize("made_on", ["cpu", "cuda"])
def test_every_pixel_arrives_before_it_is_used_and_stays_while_it_is(gpu, made_on):
    taken, sums = [], []
    for number, batch in enumerate(prefetched(batches(40, taken, made_on), gpu)):
        assert batch.images.device == gpu
        assert batch.indices.device == CPU
        assert batch.indices[0] == number * SIZE
        assert len(taken) == min(40, number + 2)  # one ahead, no more
        busy(gpu)  # the next copies would overwrite what is still to be read
        sums.append(batch.images.long().sum())
    expected = [number % 251 * SIZE * SIDE * SIDE * 3 for number in range(40)]
    assert torch.stack(sums).tolist() == expected


@pytest.mark.gpu
def test_the_copy_runs_beside_the_work(gpu):
    stream = prefetched(batches(3), gpu)
    first = next(stream)
    torch.cuda.synchronize()
    lane_done = torch.cuda.Event()
    torch.cuda._sleep(2_000_000_000)  # about a second
    working = torch.cuda.current_stream(gpu).record_event()
    second = next(stream)  # its copy is over; the third one's is under way
    lane_done.record(_lane(gpu))
    lane_done.synchronize()
    assert not working.query(), "the copy waited for the work on the batch before it"
    assert (second.images == 1).all()
    assert (first.images == 0).all()


@pytest.mark.gpu
def test_one_batch_more_than_the_consumer_holds_lies_on_the_device(gpu):
    def most(stream):
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        for batch in stream:
            batch.images.amax()  # a sum would make a copy of eight bytes a number
            torch.cuda.synchronize()  # so that memory which was freed is free
        return torch.cuda.max_memory_allocated() - before

    # The consumer's name holds a batch until the next one is bound to it.
    size = SIZE * SIDE * SIDE * 3
    assert most(prefetched(batches(10), gpu)) < 3.2 * size


def small_run(recipe, make_source, device):
    source = make_source(30)
    recipe = replace(recipe, epochs=3, drop_rate=0.2, mixing="cutmix", color_jitter=0.2)
    trainee = start_trainee(recipe, source, CLASS_NAMES).to(device)
    compute = Compute(device, torch.float32, torch.float32)
    results = []
    fit(trainee, source, compute=compute, listener=Listener(results.append))
    probs = predict(trainee, source, compute=compute, workers=0).pred_probs
    weights = torch.cat([value.reshape(-1).cpu() for value in trainee.network.parameters()])
    return weights, probs, [result.train_loss for result in results]


@pytest.mark.gpu
def test_a_training_is_bit_identical_with_and_without(gpu, recipe, make_source, monkeypatch):
    with_it = small_run(recipe, make_source, gpu)
    again = small_run(recipe, make_source, gpu)
    monkeypatch.setattr(training, "prefetched", lambda stream, _device: iter(stream))
    without = small_run(recipe, make_source, gpu)
    for other in (again, without):
        assert torch.equal(with_it[0], other[0])
        assert np.array_equal(with_it[1], other[1])
        assert with_it[2] == other[2]


@pytest.mark.gpu
def test_the_gpu_learns_what_the_processor_learns(gpu, recipe, make_source):
    here = small_run(recipe, make_source, CPU)
    there = small_run(recipe, make_source, gpu)
    # Dropout draws other numbers on a GPU, so losses are near, not equal.
    assert there[2][0] == pytest.approx(here[2][0], rel=0.3)
    assert there[2][-1] < there[2][0]
