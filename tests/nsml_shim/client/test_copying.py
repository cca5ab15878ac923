from types import SimpleNamespace

import pytest

from nsml_shim.client.copying import copy


def test_entries_and_attributes_move_into_the_object_that_others_know():
    target = {"kept": 0, "b": 0}
    copy({"b": 2}, target)
    assert target == {"kept": 0, "b": 2}
    thing = SimpleNamespace(a=0, kept=1)
    copy(SimpleNamespace(a=5), thing)
    assert vars(thing) == {"a": 5, "kept": 1}


@pytest.mark.parametrize("pair", [({}, SimpleNamespace()), ([1], [2]), (1, 2)])
def test_what_cannot_be_copied_in_place_is_refused(pair):
    with pytest.raises(TypeError, match=r"nsml\.copy"):
        copy(*pair)
