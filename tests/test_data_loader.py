import csv
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_loader import (
    DataError,
    ReviewImages,
    main,
    prediction_table,
    read_test,
    read_train,
    slice_dataset,
    write_corrections,
    write_out_of_fold,
)
from model.augment import Resize
from model.batch import UNKNOWN_LABEL, ExampleSource
from model.noise.record import FilterRecord
from model.out_of_fold import OutOfFold

HEADER = ["category_1", "category_2", "category_3", "category_4", "answer", "image_name"]
FOOD = ("식품", "축산물", '한우, "1++"', "")
LIPS = ("화장품/미용", "색조메이크업", "립스틱", "")


def draw(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        Image.new("RGB", (20, 30), (i * 20 % 256, 90, 40)).save(folder / name, "JPEG")


def write_table(path, header, rows, encoding="utf-8", end="\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, lineterminator=end).writerows([header, *rows])


def train_rows(count=10):
    categories = [FOOD, LIPS]
    return [[*categories[i % 2], str(i % 5), f"리뷰 {i}.jpg"] for i in range(count)]


@pytest.fixture
def dataset(tmp_path):
    """Ten labelled pictures, two of each class, and three test pictures, two with metadata."""
    root = tmp_path / "데이터 셋"
    draw(root / "train" / "train_data", [row[-1] for row in train_rows()])
    write_table(root / "train" / "train_label", HEADER, train_rows())
    draw(root / "test" / "test_data", ["c.jpg", "a.jpg", "b.jpg"])
    rows = [["c.jpg", *LIPS], ["a.jpg", *FOOD]]
    write_table(root / "test" / "test_data" / "test_input", ["image_name", *HEADER[:4]], rows)
    return root


def table_of(dataset):
    return dataset / "train" / "train_label"


def test_training_pictures_come_with_labels_and_categories(dataset):
    images = read_train(dataset)
    source: ExampleSource = images
    assert len(source) == 10
    assert images.names[:2] == ["리뷰 0.jpg", "리뷰 1.jpg"]
    assert images.labels.tolist() == [0, 1, 2, 3, 4] * 2
    assert images.labels.dtype == np.int64
    assert list(images.categories[:2]) == [FOOD, LIPS]
    assert images.report() == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_may_have_a_byte_order_mark_and_any_line_end(dataset, encoding, end):
    write_table(table_of(dataset), HEADER, train_rows(), encoding, end)
    assert list(read_train(dataset).categories[:2]) == [FOOD, LIPS]


def test_columns_are_found_by_name_in_any_order(dataset):
    expected = read_train(dataset)
    rows = [["7", *reversed(row)] for row in train_rows()]
    write_table(table_of(dataset), ["", *reversed(HEADER)], rows)
    images = read_train(dataset)
    assert images.names == expected.names
    assert images.labels.tolist() == expected.labels.tolist()
    assert images.categories == expected.categories


def test_the_first_weeks_table_has_no_categories_and_another_name_column(dataset):
    write_table(table_of(dataset), ["file_name", "answer"], [r[:3:-1] for r in train_rows()])
    (dataset / "test" / "test_data" / "test_input").unlink()
    images = read_train(dataset)
    assert len(images) == 10
    assert set(images.categories) == {()}
    assert set(read_test(dataset / "test").categories) == {()}
    assert read_test(dataset / "test").report() == []


def test_test_pictures_are_matched_to_their_metadata_by_name(dataset):
    images = read_test(dataset / "test")
    assert images.names == ["a.jpg", "b.jpg", "c.jpg"]
    assert list(images.categories) == [FOOD, (), LIPS]
    assert images.labels.tolist() == [UNKNOWN_LABEL] * 3
    assert images.report() == [
        "1 of 3 pictures have no row in test_input; their category is unknown (first: b.jpg)"
    ]


def test_metadata_may_lie_beside_the_test_pictures(dataset):
    folder = dataset / "test"
    os.rename(folder / "test_data" / "test_input", folder / "test_input")
    assert list(read_test(folder).categories) == [FOOD, (), LIPS]


def test_hidden_files_and_folders_are_no_pictures(dataset):
    folder = dataset / "test" / "test_data"
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "thumbs").mkdir()
    assert read_test(dataset / "test").names == ["a.jpg", "b.jpg", "c.jpg"]


def test_rows_without_a_picture_and_pictures_without_a_row_are_left_out_and_told(dataset):
    folder = dataset / "train" / "train_data"
    (folder / "리뷰 3.jpg").unlink()
    draw(folder, ["stranger.jpg"])
    images = read_train(dataset)
    assert len(images) == 9
    assert images.labels.tolist() == [0, 1, 2, 4, 0, 1, 2, 3, 4]
    assert images.report() == [
        "1 of 10 rows of train_label name a picture that is not there; skipped (first: 리뷰 3.jpg)",
        "1 of 10 pictures have no row in train_label; not used (first: stranger.jpg)",
    ]


def test_broken_pictures_are_counted_once_and_told(dataset):
    (dataset / "test" / "test_data" / "a.jpg").write_bytes(b"")
    (dataset / "train" / "train_data" / "리뷰 4.jpg").write_bytes(b"no picture")
    test, train = read_test(dataset / "test"), read_train(dataset)
    for images in (test, train):
        for _ in range(2):
            list(
                images.batches(np.arange(len(images)), batch_size=4, framing=Resize(16), workers=2)
            )
    assert test.unreadable() == ["a.jpg"]
    assert test.report()[-1] == (
        "1 of 3 pictures could not be read and were replaced by grey (first: a.jpg: zero bytes)"
    )
    assert train.unreadable() == ["리뷰 4.jpg"]
    assert train.report()[-1].startswith(
        "1 of 10 pictures could not be read and were skipped (first: 리뷰 4.jpg: not a picture"
    )


def test_a_subset_keeps_order_labels_and_categories_and_counts_with_the_whole(dataset):
    (dataset / "train" / "train_data" / "리뷰 4.jpg").write_bytes(b"")
    images = read_train(dataset)
    part = images.subset(np.array([9, 4]))
    (batch,) = part.batches(np.array([1, 0]), batch_size=4, framing=Resize(16), workers=1)
    assert part.names == ["리뷰 9.jpg", "리뷰 4.jpg"]
    assert part.labels.tolist() == [4, 4]
    assert part.categories == [images.categories[9], images.categories[4]]
    assert batch.indices.tolist() == [1, 0]
    assert batch.readable.tolist() == [False, True]
    assert part.unreadable() == images.unreadable() == ["리뷰 4.jpg"]
    assert images.subset(np.array([0])).unreadable() == []


def refusal(dataset):
    with pytest.raises(DataError) as caught:
        read_train(dataset)
    lines = str(caught.value).split("\n")
    assert len(lines) == 3
    assert all(lines)
    return lines


def changed(line, column, value):
    """The training table with one other cell; `line` counts from 1, the header being line 1."""
    rows = train_rows()
    rows[line - 2][HEADER.index(column)] = value
    return rows


@pytest.mark.parametrize("value", ["5", "-1", "", "cat", "1.5", "nan"])
def test_a_label_that_is_no_class_is_named_with_file_line_and_value(dataset, value):
    write_table(table_of(dataset), HEADER, changed(5, "answer", value))
    happened, expected, _ = refusal(dataset)
    assert f"{table_of(dataset)}, line 5: the answer of '리뷰 3.jpg' is {value!r}." == happened
    assert "0 to 4" in expected


def test_another_number_of_classes_allows_other_labels(dataset):
    write_table(table_of(dataset), HEADER, changed(5, "answer", "5"))
    assert 5 in read_train(dataset, num_classes=6).labels


def test_a_name_that_repeats_is_named_with_both_lines(dataset):
    write_table(table_of(dataset), HEADER, changed(7, "image_name", "리뷰 1.jpg"))
    assert "line 7: the picture name '리뷰 1.jpg' is already on line 3" in refusal(dataset)[0]


def test_a_row_without_a_name_is_refused(dataset):
    write_table(table_of(dataset), HEADER, changed(4, "image_name", ""))
    assert "line 4: the picture name '' is empty" in refusal(dataset)[0]


@pytest.mark.parametrize("column", ["answer", "image_name", "category_2"])
def test_a_missing_column_is_named_with_those_that_are_there(dataset, column):
    write_table(table_of(dataset), [("x" if c == column else c) for c in HEADER], train_rows())
    happened, expected, _ = refusal(dataset)
    assert f"line 1: 0 columns are called '{column}'." in happened
    assert "found: " in expected


def test_a_column_that_is_there_twice_is_refused(dataset):
    rows = [[*row, "0"] for row in train_rows()]
    write_table(table_of(dataset), [*HEADER, "answer"], rows)
    assert "line 1: 2 columns are called 'answer'." in refusal(dataset)[0]


def test_a_row_with_too_few_cells_is_refused_with_its_line(dataset):
    rows = train_rows()
    rows[2] = rows[2][:3]
    write_table(table_of(dataset), HEADER, rows)
    assert "line 4: 3 cells" in refusal(dataset)[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "0 columns are called", id="empty"),
        pytest.param("image_name,answer\n사진,1\n".encode("cp949"), "is not UTF-8", id="cp949"),
        pytest.param(b'image_name,answer\n"a.jpg,1\n', "not a CSV record", id="open quote"),
    ],
)
def test_a_file_that_is_no_utf8_csv_is_refused(dataset, content, message):
    table_of(dataset).write_bytes(content)
    assert message in refusal(dataset)[0]


def test_a_class_without_a_picture_is_named(dataset):
    rows = [row for row in train_rows() if row[4] != "2"]
    write_table(table_of(dataset), HEADER, rows)
    assert "no row is left of class 2 (8 rows used" in refusal(dataset)[0]


def test_a_table_that_names_no_existing_picture_is_refused(dataset):
    rows = [[*row[:-1], "x" + row[-1]] for row in train_rows()]
    write_table(table_of(dataset), HEADER, rows)
    happened = refusal(dataset)[0]
    assert "no row is left to learn from (0 rows used, 10 without their picture)" in happened


def test_a_missing_table_and_a_missing_folder_are_named(dataset):
    table_of(dataset).unlink()
    assert f"{table_of(dataset)} cannot be read: No such file" in refusal(dataset)[0]
    os.rename(dataset / "train" / "train_data", dataset / "elsewhere")
    assert f"{dataset / 'train' / 'train_data'} cannot be read" in refusal(dataset)[0]


def test_a_folder_without_pictures_is_refused(dataset):
    for path in (dataset / "test" / "test_data").glob("*.jpg"):
        path.unlink()
    with pytest.raises(DataError, match="holds no picture"):
        read_test(dataset / "test")


def test_the_prediction_table_names_every_picture_once(dataset, tmp_path):
    names = read_test(dataset / "test").names
    table = prediction_table(names, np.array([4, 0, 2]))
    assert list(table.columns) == ["image_name", "y_pred"]
    table.to_csv(tmp_path / "prediction")
    assert pd.read_csv(tmp_path / "prediction")["y_pred"].tolist() == [4, 0, 2]


@pytest.mark.parametrize(
    ("names", "classes", "message"),
    [
        (["a", "b"], [1], "2 names"),
        (["a", "a"], [1, 1], "named twice"),
        (["a", "b"], [0.5, 1.0], "float64"),
        (["a", "b"], [-1, 1], "smallest -1"),
    ],
)
def test_a_prediction_that_the_evaluator_would_refuse_is_refused_here(names, classes, message):
    with pytest.raises(ValueError, match=message):
        prediction_table(names, classes)


@pytest.mark.parametrize("per_class", [1, 2, 50])
def test_a_slice_of_a_dataset_reads_like_a_dataset(dataset, tmp_path, per_class):
    slice_dataset(dataset, tmp_path / "slice", per_class)
    train, test = read_train(tmp_path / "slice"), read_test(tmp_path / "slice" / "test")
    labels = pd.read_csv(tmp_path / "slice" / "test" / "test_label")
    expected = min(per_class, 2)
    assert np.bincount(train.labels).tolist() == [expected] * 5
    assert sorted(labels["image_name"]) == test.names
    assert np.bincount(labels["answer"]).tolist() == [expected] * 5
    assert (per_class == 1) == set(train.names).isdisjoint(test.names)
    whole = read_train(dataset)
    category_of = dict(zip(whole.names, whole.categories, strict=True))
    for images in (train, test):
        assert images.report() == []
        assert [category_of[name] for name in images.names] == images.categories


def test_a_slice_of_the_first_weeks_dataset_has_no_metadata(dataset, tmp_path):
    write_table(table_of(dataset), ["image_name", "answer"], [r[:3:-1] for r in train_rows()])
    slice_dataset(dataset, tmp_path / "slice", 1)
    assert not (tmp_path / "slice" / "test" / "test_data" / "test_input").exists()
    assert isinstance(read_test(tmp_path / "slice" / "test"), ReviewImages)


def test_corrections_change_labels_leave_pictures_out_and_are_noted(dataset, tmp_path):
    table = tmp_path / "corrections.csv"
    rows = [["리뷰 0.jpg", "1"], ["리뷰 7.jpg", "drop"], ["리뷰 8.jpg", ""], ["x.jpg", "drop"]]
    write_table(table, ["image_name", "answer"], rows)
    images = read_train(dataset, corrections=table)
    assert images.labels.tolist() == [1, 1, 2, 3, 4, 0, 1, 3, 4]
    assert "리뷰 7.jpg" not in images.names
    assert len(images.categories) == 9
    assert images.categories[7] == read_train(dataset).categories[8]
    assert [line.split(" (first")[0] for line in images.report()] == [
        "1 of 10 labels were changed by corrections.csv",
        "1 of 10 pictures were left out by corrections.csv",
        "1 of 3 answers in corrections.csv name a picture that is not used; skipped",
    ]


def test_corrections_that_empty_a_class_are_refused(dataset, tmp_path):
    table = tmp_path / "corrections.csv"
    write_table(table, ["image_name", "answer"], [["리뷰 2.jpg", "drop"], ["리뷰 7.jpg", "0"]])
    with pytest.raises(DataError, match="no row is left of class 2"):
        read_train(dataset, corrections=table)


def test_pictures_that_repeat_another_one_are_in_its_group(dataset):
    folder = dataset / "train" / "train_data"
    rng = np.random.default_rng(0)
    for i in range(10):
        pixels = rng.integers(0, 256, size=(4, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((90, 70), Image.Resampling.BICUBIC).save(
            folder / f"리뷰 {i}.jpg"
        )
    Image.open(folder / "리뷰 3.jpg").resize((60, 50)).save(folder / "리뷰 6.jpg")
    assert read_train(dataset).duplicate_groups(1).tolist() == [0, 1, 2, 3, 4, 5, 3, 6, 7, 8]


def test_what_a_training_leaves_behind_is_written_by_picture_name(dataset, tmp_path):
    images = read_train(dataset)
    probs = np.eye(5, dtype=np.float32)[images.labels][None]
    held_out = OutOfFold(probs, images.labels, np.arange(10) % 2)
    write_out_of_fold(tmp_path / "out_of_fold.csv", images, held_out)
    frame = pd.read_csv(tmp_path / "out_of_fold.csv")
    assert frame["image_name"].tolist() == images.names
    assert frame["p_3"].tolist() == (images.labels == 3).tolist()
    learnt = images.labels.copy()
    learnt[[0, 3]] = 4, -1
    record = FilterRecord("aum", images.labels, learnt, np.linspace(0, 1, 10), "test")
    write_corrections(tmp_path / "corrections.csv", images, record)
    corrected = read_train(dataset, corrections=tmp_path / "corrections.csv")
    assert corrected.labels.tolist() == learnt[learnt >= 0].tolist()


def test_the_command_looks_at_a_dataset_and_takes_the_answers_back(dataset, tmp_path, capsys):
    out = tmp_path / "eda"
    assert main(["eda", str(dataset), "--out", str(out), "--workers", "1"]) == 0
    assert "10 pictures in" in capsys.readouterr().out
    assert (out / "index.html").stat().st_size > 10_000
    table = tmp_path / "answers.csv"
    write_table(table, ["image_name", "answer"], [["리뷰 0.jpg", "drop"]])
    assert main(["eda", str(dataset), "--out", str(out), "--labels", str(table)]) == 0
    shown = capsys.readouterr().out
    assert "9 pictures in" in shown
    assert "1 of 10 pictures were left out by answers.csv" in shown


def test_the_command_explains_a_dataset_that_cannot_be_used(tmp_path, capsys):
    assert main(["eda", str(tmp_path / "none"), "--out", str(tmp_path / "eda")]) == 2
    assert "Error: " in capsys.readouterr().err
    assert not (tmp_path / "eda").exists()


def test_without_a_command_the_usage_is_printed(capsys):
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 2
    assert "usage: python -m data_loader" in capsys.readouterr().out


@pytest.mark.parametrize("workers", ["0", "-1", "many"])
def test_a_number_of_threads_that_is_none_is_refused(tmp_path, capsys, workers):
    with pytest.raises(SystemExit):
        main(["eda", str(tmp_path), "--workers", workers])
    assert "is not a number of threads from 1" in capsys.readouterr().err
