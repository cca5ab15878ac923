from concurrent.futures import ThreadPoolExecutor

from model.pixels.faults import Damage, Fault, FaultTally, report_line

ZERO = Fault(Damage.UNREADABLE, "zero bytes")


def test_a_file_met_by_many_threads_is_counted_once():
    tally = FaultTally()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda i: tally.note(f"{i % 5}.jpg", ZERO), range(500)))
    assert tally.among([f"{i}.jpg" for i in range(9)], Damage.UNREADABLE) == {
        f"{i}.jpg": "zero bytes" for i in range(5)
    }


def test_faults_are_listed_in_the_order_of_the_names_and_only_for_them():
    tally = FaultTally()
    for name in ("c.jpg", "a.jpg", "x.jpg"):
        tally.note(name, ZERO)
    tally.note("b.jpg", Fault(Damage.TRUNCATED, "cut"))
    assert list(tally.among(["a.jpg", "b.jpg", "c.jpg"], Damage.UNREADABLE)) == ["a.jpg", "c.jpg"]
    assert tally.among(["a.jpg", "b.jpg"], Damage.TRUNCATED) == {"b.jpg": "cut"}


def test_a_report_line_names_the_first_three():
    faults = {f"{name}.jpg": "zero bytes" for name in "abcd"}
    assert report_line(faults, 1000, "could not be read and were replaced by grey") == (
        "4 of 1000 pictures could not be read and were replaced by grey "
        "(first: a.jpg: zero bytes, b.jpg: zero bytes, c.jpg: zero bytes, ...)"
    )
