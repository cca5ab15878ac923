import pytest

from nsml_shim.cli import tables


def test_columns_are_left_aligned_two_apart_and_at_least_two_wider_than_their_header():
    shown = tables.table(["Checkpoint", "Size"], [["0", "366.74 MB"], ["best", "1 B"]])
    assert shown.splitlines() == [
        "Checkpoint    Size",
        "------------  ---------",
        "0             366.74 MB",
        "best          1 B",
    ]


def test_an_empty_table_is_header_and_dashes():
    assert tables.table(["Name"], []).splitlines() == ["Name", "------"]


def test_korean_letters_count_for_two_cells():
    lines = tables.table(["Memo", "Type"], [["한글한글한글", "normal"]]).splitlines()
    assert lines[1] == "------------  ------"
    assert lines[2] == "한글한글한글  normal"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"), (20, "seconds ago"), (60, "a minute ago"), (150, "2 minutes ago"),
        (3600, "an hour ago"), (19 * 3600, "19 hours ago"), (86400, "a day ago"),
        (15 * 86400, "15 days ago"), (215 * 86400, "7 months ago"), (800 * 86400, "2 years ago"),
    ],
)  # fmt: skip
def test_times_are_told_as_a_person_would(seconds: float, words: str):
    assert tables.ago(seconds) == words


@pytest.mark.parametrize(
    ("count", "decimal", "binary"),
    [
        (16, "16 B", "16 B"), (9318, "9.32 KB", "9.1 KiB"), (175_810, "175.81 KB", "172 KiB"),
        (366_740_000, "366.74 MB", "350 MiB"), (5 * 10**12, "5.00 TB", "4657 GiB"),
    ],
)  # fmt: skip
def test_sizes_in_listings_are_decimal_and_in_uploads_binary(count: int, decimal: str, binary: str):
    assert (tables.size(count), tables.binary_size(count)) == (decimal, binary)


def test_a_summary_is_sorted_rounded_and_without_its_step():
    values = {"train/loss": 0.123456, "epoch": 2, "step": 2}
    assert tables.summary(values) == "epoch=2, train/loss=0.123"
    assert tables.full_summary(values) == "train/loss=0.123456, epoch=2, step=2"
