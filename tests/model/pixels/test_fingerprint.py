import io
import time

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from model.pixels.faults import Damage
from model.pixels.fingerprint import (
    LONGEST_CHAIN,
    NEAR,
    NO_HASH,
    duplicate_groups,
    fingerprints,
    picture_hashes,
)
from model.pixels.loader import PictureFiles


def scene(seed, width=240, height=180):
    """A smooth random picture: coarse colours, enlarged."""
    coarse = np.random.default_rng(seed).integers(0, 256, size=(6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def files_of(folder, pictures, **options):
    """Write pictures, or bytes, and name them in order."""
    names = []
    for number, picture in enumerate(pictures):
        names.append(f"{number}.jpg")
        if isinstance(picture, bytes):
            (folder / names[-1]).write_bytes(picture)
        else:
            picture.save(folder / names[-1], "JPEG", **options)
    return PictureFiles(folder, names, np.zeros(len(names), dtype=np.int64))


def bits(words):
    return [int(word).bit_count() for word in words]


def random_hashes(count, seed=0):
    return np.random.default_rng(seed).integers(1, 2**63, size=count, dtype=np.uint64)


def with_flipped(word, *positions):
    return word ^ np.uint64(sum(1 << position for position in positions))


def partition(groups):
    """Groups as sets of positions, whatever their numbers are."""
    return {frozenset(np.flatnonzero(groups == g).tolist()) for g in groups}


@pytest.mark.parametrize("seed", range(12))
def test_the_hash_is_the_sign_of_the_lowest_cosines_against_their_median(seed):
    pixels = np.array(scene(seed).resize((32, 32)))
    grey = pixels @ np.array([0.299, 0.587, 0.114])
    lowest = np.asarray(dctn(grey, type=2, norm="ortho"))[:8, :8]
    expected = "".join("1" if above else "0" for above in (lowest > np.median(lowest)).ravel())
    (word,) = picture_hashes(pixels[None])
    assert f"{word:064b}" == expected
    assert expected.startswith("1")


def test_half_of_the_bits_of_every_hash_are_set():
    pixels = np.stack([np.array(scene(seed).resize((32, 32))) for seed in range(20)])
    assert bits(picture_hashes(pixels)) == [32] * 20


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_one_colour_has_no_hash(value):
    rng = np.random.default_rng(value)
    pixels = np.clip(value + rng.integers(-1, 2, size=(1, 32, 32, 3)), 0, 255).astype(np.uint8)
    assert picture_hashes(pixels).tolist() == [NO_HASH]


def test_copies_of_another_size_and_quality_are_one_group_and_other_pictures_are_not(tmp_path):
    originals = [scene(seed) for seed in range(12)]
    copies = []
    for picture in originals:
        worse = io.BytesIO()
        picture.save(worse, "JPEG", quality=40)
        copies += [worse.getvalue(), picture.resize((150, 112), Image.Resampling.LANCZOS)]
    found = fingerprints(files_of(tmp_path, [*originals, *copies], quality=92), workers=1)
    assert found.readable.all()
    groups = duplicate_groups(found.hashes)
    expected = [*range(12), *np.repeat(range(12), 2).tolist()]
    assert groups.tolist() == expected


def test_unreadable_and_featureless_pictures_stay_alone(tmp_path):
    plain = Image.new("RGB", (64, 48), (200, 180, 160))
    files = files_of(tmp_path, [b"", plain, scene(1), plain, b"no picture"])
    found = fingerprints(files, workers=0)
    assert found.readable.tolist() == [False, True, True, True, False]
    assert (found.hashes == NO_HASH).tolist() == [True, True, False, True, True]
    assert duplicate_groups(found.hashes).tolist() == [0, 1, 2, 3, 4]
    assert list(files.tally.among(files.names, Damage.UNREADABLE)) == ["0.jpg", "4.jpg"]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_hashes_do_not_depend_on_the_threads(tmp_path, workers):
    files = files_of(tmp_path, [scene(seed) for seed in range(9)])
    assert np.array_equal(
        fingerprints(files, workers=workers).hashes, fingerprints(files, workers=1).hashes
    )


@pytest.mark.parametrize("distance", [0, 1, 2, 3, 4, 6])
def test_pairs_are_found_exactly_as_by_comparing_all_with_all(distance):
    rng = np.random.default_rng(distance)
    base = random_hashes(60, seed=distance)
    words = np.concatenate([
        base,
        [with_flipped(w, *rng.choice(64, size=rng.integers(0, 9), replace=False)) for w in base],
    ])  # fmt: skip
    near = np.array([[(int(a) ^ int(b)).bit_count() <= distance for a in words] for b in words])
    reach = near
    for _ in range(4):
        reach = (reach.astype(int) @ near.astype(int)) > 0
    expected = {frozenset(np.flatnonzero(row).tolist()) for row in reach}
    assert partition(duplicate_groups(words, distance=distance)) == expected


def test_groups_are_numbered_by_their_first_picture_and_may_be_chains():
    a, b = random_hashes(2)
    chain = [a, with_flipped(a, 1, 2, 3, 4), with_flipped(a, 1, 2, 3, 4, 50, 51, 52, 53)]
    words = np.array([b, chain[0], NO_HASH, chain[2], b, chain[1], NO_HASH], dtype=np.uint64)
    assert duplicate_groups(words, distance=NEAR).tolist() == [0, 1, 2, 1, 0, 1, 3]


def test_a_chain_through_unlike_pictures_falls_apart_into_equal_hashes():
    # A Gray code: each word differs from the next in one bit.
    words = np.array([k ^ (k >> 1) for k in range(1, 2 * LONGEST_CHAIN)], dtype=np.uint64)
    doubled = np.concatenate([words, words])
    groups = duplicate_groups(doubled, distance=1)
    assert groups.tolist() == [*range(len(words))] * 2


def test_no_picture_makes_no_group():
    assert duplicate_groups(np.zeros(0, dtype=np.uint64)).tolist() == []


@pytest.mark.parametrize("distance", [-1, 9])
def test_a_distance_out_of_range_is_refused(distance):
    with pytest.raises(ValueError, match=r"give 0\.\.8"):
        duplicate_groups(random_hashes(3), distance=distance)


def test_the_competitions_size_takes_about_a_second():
    words = random_hashes(171_000)
    words[100_000:] = [with_flipped(w, 5, 40) for w in words[:71_000]]
    begin = time.process_time()
    groups = duplicate_groups(words)
    assert time.process_time() - begin < 8
    assert len(np.unique(groups)) == 100_000
