import io
from itertools import pairwise

from review_synthesis.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(stream, seconds, pieces):
    """What a reader sees while `pieces` become done over `seconds`, asked once a second."""
    now = [0.0]
    progress = Progress(pieces, "pictures", stream, clock=lambda: now[0])
    moments = []
    for second in range(seconds + 1):
        now[0] = float(second)
        before = stream.tell()
        progress.update(pieces * second // seconds)
        if stream.tell() > before:
            moments.append(second)
    return moments


def test_a_log_file_gets_a_line_at_least_every_five_seconds():
    stream = io.StringIO()
    moments = told(stream, seconds=60, pieces=12)
    assert moments[0] == 0
    assert moments[-1] == 60
    assert max(b - a for a, b in pairwise(moments)) < 5
    assert "\r" not in stream.getvalue()
    assert stream.getvalue().splitlines()[-1].endswith("12/12 pictures, 60 s")


def test_a_terminal_gets_one_bar_that_is_redrawn():
    stream = Terminal()
    told(stream, seconds=10, pieces=10)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().count("\r") == 11


def test_nothing_to_do_is_done():
    stream = io.StringIO()
    Progress(0, "pictures", stream).update(0)
    assert "0/0" in stream.getvalue()
