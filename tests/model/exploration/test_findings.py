import numpy as np

from model.exploration.findings import Findings, padded, terminal_lines
from model.exploration.survey import survey
from model.exploration.suspects import find_suspects


def test_the_terminal_shows_every_kind_of_finding(gallery):
    seen = survey(gallery.files, workers=1)
    findings = Findings(gallery, seen, find_suspects(gallery, seen.repeated, None), "")
    text = "\n".join(terminal_lines(findings))
    assert "12 pictures in" in text
    assert "a note" in text
    assert "  0 착용샷                    4   33.3% ██" in text
    assert "  width, pixels          100" in text
    assert "  식품                        2        2        2" in text
    assert "Unreadable files: 1; cut short: 1" in text
    assert "2 pictures repeat another one, in 2 groups; 2 groups have different labels" in text
    assert "Suspected labels: 4\n  4 because a near-duplicate has another label" in text


def test_copies_with_equal_labels_are_no_quarrel(gallery):
    gallery.labels[8] = gallery.labels[0]
    seen = survey(gallery.files, workers=1)
    findings = Findings(gallery, seen, [], "")
    assert [part.tolist() for part in findings.quarrels] == [[1, 9]]
    assert findings.class_counts.tolist() == np.bincount(gallery.labels).tolist()


def test_korean_letters_take_two_columns():
    assert padded("가a", 5) == "가a  "
    assert padded("가나다", 3) == "가나다"
