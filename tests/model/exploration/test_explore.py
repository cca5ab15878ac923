import csv
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from model.exploration.explore import explore
from model.pixels.corrections import COLUMNS, read_corrections
from model.pixels.faults import Damage
from model.pixels.table import DataError

VOID = {"meta", "img", "input", "br"}
OPTIONAL_END = {"html", "tr", "td", "th", "li", "option", "p", "body", "head"}


class Outline(HTMLParser):
    """Checks that tags are closed in order, and keeps what the tests ask for."""

    def __init__(self):
        super().__init__()
        self.open, self.selects, self.images, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "select":
            self.selects.append(found)
        if tag == "img":
            self.images.append(found["src"])
        if tag not in VOID | OPTIONAL_END:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in OPTIONAL_END:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def look(gallery, out, predictions=None):
    lines = []
    findings = explore(gallery, out=out, predictions=predictions, workers=1, say=lines.append)
    outline = Outline()
    outline.feed((out / "index.html").read_text(encoding="utf-8"))
    assert outline.open == []
    return findings, outline, lines


def write_predictions(path, gallery, better):
    """A table that is sure of the given labels but for those in `better`."""
    rows = [["image_name", "p_0", "p_1", "p_2"]]
    for i, name in enumerate(gallery.names):
        favoured = better.get(i, int(gallery.labels[i]))
        rows.append([name, *("0.96" if k == favoured else "0.02" for k in range(3))])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_the_page_is_one_file_that_shows_what_was_found(gallery, tmp_path):
    _, outline, lines = look(gallery, tmp_path / "새 폴더" / "eda")
    text = " ".join(outline.text)
    assert "Training set: 리뷰 set" in text
    for part in ("0 착용샷", "2 <미분류>", "식품 › 축산물", "zero bytes", "a note", "사진 8.jpg"):
        assert part in text
    assert outline.images
    assert all(source.startswith("data:image/jpeg;base64,") for source in outline.images)
    page = (tmp_path / "새 폴더" / "eda" / "index.html").read_text(encoding="utf-8")
    assert re.search(r"(src|href)=\"?http|url\(|{{", page) is None
    assert lines[-1].startswith("Wrote ")


def test_contact_sheets_and_the_table_of_corrections_lie_beside_it(gallery, tmp_path):
    findings, outline, _ = look(gallery, tmp_path)
    for name in ("classes.png", "duplicates.png", "suspects.png"):
        with Image.open(tmp_path / name) as sheet:
            assert sheet.format == "PNG"
    with (tmp_path / "corrections.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert [row[0] for row in rows] == [gallery.names[s.position] for s in findings.suspects]
    assert {row[-1] for row in rows} == {""}
    assert read_corrections(tmp_path / "corrections.csv", 3) == {}
    assert [select["data-name"] for select in outline.selects] == [row[0] for row in rows]


def test_predictions_are_named_and_what_does_not_match_is_told(gallery, tmp_path):
    table = tmp_path / "out_of_fold.csv"
    write_predictions(table, gallery, better={})
    content = table.read_text(encoding="utf-8")
    table.write_text(content.replace("사진 3.jpg", "other.jpg"), encoding="utf-8")
    _, outline, lines = look(gallery, tmp_path / "eda", table)
    assert "1 of 12 pictures are not in out_of_fold.csv (first: 사진 3.jpg)" in lines
    assert "1 of 12 rows of out_of_fold.csv are not used (first: other.jpg)" in lines
    assert "out_of_fold.csv" in " ".join(outline.text)


def test_a_second_look_leaves_no_sheet_of_the_first(gallery, tmp_path):
    look(gallery, tmp_path)
    assert (tmp_path / "duplicates.png").exists()
    gallery.labels[:] = [0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 2, 2]
    look(gallery, tmp_path)
    assert not (tmp_path / "duplicates.png").exists()
    assert not (tmp_path / "suspects.png").exists()


def test_a_set_without_categories_and_without_findings_reads_well(gallery, tmp_path):
    gallery.categories[:] = [()] * 12
    gallery.labels[:] = [0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 2, 2]
    _, outline, lines = look(gallery, tmp_path)
    assert "This dataset names no product categories." in " ".join(outline.text)
    assert "Suspected labels: 0" in lines


def test_names_that_look_like_markup_stay_text(gallery, tmp_path):
    old = gallery.files.folder / gallery.names[8]
    gallery.names[8] = '"><img onerror=x>&.jpg'
    old.rename(gallery.files.folder / gallery.names[8])
    _, outline, _ = look(gallery, tmp_path)
    assert gallery.names[8] in " ".join(outline.text)
    assert gallery.names[8] in [select["data-name"] for select in outline.selects]


def test_a_table_of_other_classes_is_refused_before_anything_is_decoded(gallery, tmp_path):
    np.savez(
        tmp_path / "p.npz", image_name=np.array(gallery.names), pred_probs=np.ones((12, 2)) / 2
    )
    with pytest.raises(DataError):
        look(gallery, tmp_path / "eda", tmp_path / "p.npz")
    assert not (tmp_path / "eda").exists()


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_decoded(gallery, tmp_path):
    (tmp_path / "eda").write_text("in the way", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be made: File exists"):
        look(gallery, tmp_path / "eda")
    assert gallery.files.tally.among(gallery.names, Damage.UNREADABLE) == {}
