import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from model.batch import UNKNOWN_LABEL
from model.pixels.ahead import PREFETCHED_BATCHES
from model.pixels.decode import GREY
from model.pixels.loader import LoadingError, PictureFiles, stream_batches

SIZE = 24
COUNT = 37


class Crop:
    """A box that depends on the example, as a random crop does."""

    size = SIZE
    pads = False

    def box(self, width, height, index):
        left = index % 7
        return left, 1.5, width - 3.25, height


class Counting(Crop):
    """Remembers which examples were asked for; waits a little, as a large picture would."""

    def __init__(self):
        self.asked = []

    def box(self, width, height, index):
        time.sleep(0.002)
        self.asked.append(index)
        return super().box(width, height, index)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("리뷰 사진")
    rng = np.random.default_rng(3)
    names = []
    for i in range(COUNT):
        names.append(f"사진 {i}.jpg")
        pixels = rng.integers(0, 256, (rng.integers(30, 90), rng.integers(30, 90), 3), np.uint8)
        Image.fromarray(pixels).save(folder / names[-1], "JPEG")
    (folder / names[11]).write_bytes(b"")
    return PictureFiles(folder, names, np.arange(COUNT) % 5)


def shuffled():
    return np.random.default_rng(1).permutation(COUNT)


def stream(files, workers, framing=None, batch_size=8):
    return stream_batches(
        files, shuffled(), batch_size=batch_size, framing=framing or Crop(), workers=workers
    )


def decoding_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


@pytest.mark.parametrize("batch_size", [1, 8, COUNT, 100])
@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_neither_order_nor_bytes(files, workers, batch_size):
    plain = list(stream(files, 0, batch_size=batch_size))
    threaded = list(stream(files, workers, batch_size=batch_size))
    assert len(plain) == len(threaded) == -(-COUNT // batch_size)
    for one, other in zip(plain, threaded, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.indices, other.indices)
        assert torch.equal(one.readable, other.readable)


def test_batches_follow_the_order_and_carry_the_labels(files):
    batches = list(stream(files, 2))
    indices = torch.cat([batch.indices for batch in batches]).numpy()
    labels = torch.cat([batch.labels for batch in batches]).numpy()
    assert np.array_equal(indices, shuffled())
    known = indices != 11
    assert np.array_equal(labels[known], indices[known] % 5)
    assert [len(batch.images) for batch in batches] == [8, 8, 8, 8, 5]
    assert batches[0].images.dtype == torch.uint8
    assert batches[0].images.shape == (8, SIZE, SIZE, 3)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("predicting", [False, True])
def test_a_broken_file_becomes_a_grey_square_without_a_label(files, workers, predicting):
    with torch.inference_mode(predicting):
        batches = list(stream(files, workers))
    readable = torch.cat([batch.readable for batch in batches])
    position = int(np.flatnonzero(shuffled() == 11)[0])
    assert (~readable).nonzero().flatten().tolist() == [position]
    assert (torch.cat([batch.images for batch in batches])[position] == GREY).all()
    assert torch.cat([batch.labels for batch in batches])[position] == UNKNOWN_LABEL
    assert files.labels[11] == 1


def test_an_iterator_that_is_closed_early_leaves_no_threads(files):
    batches = stream(files, 3, batch_size=2)
    next(batches)
    assert decoding_threads()  # how many depends on how soon the first is idle again
    batches.close()
    assert decoding_threads() == []


def test_an_iterator_that_is_never_started_starts_no_thread(files):
    stream(files, 3)
    assert decoding_threads() == []


def test_no_more_batches_are_decoded_ahead_than_promised(files):
    framing = Counting()
    batches = stream(files, 2, framing, batch_size=2)
    next(batches)
    time.sleep(0.2)
    assert len(framing.asked) == 2 * (1 + PREFETCHED_BATCHES)
    batches.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_that_is_not_the_files_names_the_picture_and_ends_the_threads(files, workers):
    class Wrong(Crop):
        def box(self, width, height, index):
            return (0, 0, 0, 0) if index == 20 else super().box(width, height, index)

    with pytest.raises(LoadingError, match=r"loading .*사진 20\.jpg failed: box .* is empty"):
        list(stream(files, workers, Wrong()))
    assert decoding_threads() == []


def test_an_order_may_be_empty_or_repeat_pictures(files):
    def indices(order):
        batches = stream_batches(
            files, np.array(order, dtype=np.int64), batch_size=2, framing=Crop(), workers=1
        )
        return [batch.indices.tolist() for batch in batches]

    assert indices([]) == []
    assert indices([4, 4, 4]) == [[4, 4], [4]]


@pytest.mark.parametrize(
    ("order", "batch_size", "workers", "message"),
    [
        ([0], 0, 1, "batch_size is 0"),
        ([0], 1, -1, "workers -1"),
        ([COUNT], 1, 1, f"there are {COUNT} pictures"),
        ([-1], 1, 1, f"there are {COUNT} pictures"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(files, order, batch_size, workers, message):
    with pytest.raises(ValueError, match=message):
        stream_batches(
            files, np.array(order), batch_size=batch_size, framing=Crop(), workers=workers
        )
