import numpy as np

from model.exploration.survey import survey


def test_sizes_damage_and_copies_are_found(gallery):
    seen = survey(gallery.files, workers=1)
    assert seen.widths.tolist() == [120, 121, 122, 123, 124, 125, 126, 100, 128, 129, 0, 131]
    assert seen.heights.tolist() == [90] * 7 + [200, 90, 90, 0, 90]
    expected = [(gallery.files.folder / name).stat().st_size for name in gallery.names]
    assert seen.octets.tolist() == expected
    assert list(seen.unreadable) == ["사진 10.jpg"]
    assert list(seen.truncated) == ["사진 11.jpg"]
    assert seen.groups.tolist()[:11] == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 8]


def test_groups_of_several_come_with_the_largest_first(gallery):
    seen = survey(gallery.files, workers=0)
    seen.groups[:] = [0, 1, 2, 1, 0, 3, 4, 1, 5, 6, 7, 8]
    assert [part.tolist() for part in seen.repeated] == [[1, 3, 7], [0, 4]]
    seen.groups[:] = np.arange(12)
    assert seen.repeated == []


def test_progress_is_told_to_the_end(gallery):
    told = []
    survey(gallery.files, workers=1, on_progress=lambda *words: told.append(words))
    assert told[-1][1:] == (12, 12)


def test_a_file_that_vanished_is_unreadable(gallery):
    (gallery.files.folder / gallery.names[2]).unlink()
    seen = survey(gallery.files, workers=1)
    assert "사진 2.jpg" in seen.unreadable
    assert seen.octets[2] == 0
