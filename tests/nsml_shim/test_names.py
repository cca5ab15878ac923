import pytest

from nsml_shim.errors import InvalidName
from nsml_shim.names import SessionName, split_checkpoint


def test_a_session_name_survives_a_round_trip():
    assert str(SessionName.parse("team/review_img/7")) == "team/review_img/7"


@pytest.mark.parametrize(
    "text", ["team/review_img", "team//7", "a/b/c", "a/b/7/best", "../b/7", "a/../7", "", "a/b/-1"]
)
def test_what_is_no_session_name_is_refused_with_an_example(text: str):
    with pytest.raises(InvalidName, match=r"team/review_img/7|not beginning with a dot"):
        SessionName.parse(text)


def test_a_checkpoint_may_follow_the_session_after_a_slash():
    name = SessionName("team", "review_img", 1)
    assert split_checkpoint("team/review_img/1/best", None) == (name, "best")
    assert split_checkpoint("team/review_img/1", "best") == (name, "best")
    assert split_checkpoint("team/review_img/1", None) == (name, None)


def test_a_checkpoint_after_a_slash_may_hold_slashes_itself():
    assert split_checkpoint("team/review_img/1/fold/3", None)[1] == "fold/3"
