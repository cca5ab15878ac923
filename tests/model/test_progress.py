from model.progress import ProgressLines


def test_a_line_appears_every_few_seconds_and_not_more_often():
    lines: list[str] = []
    now = [0.0]
    progress = ProgressLines(lines.append, interval=3.0, clock=lambda: now[0])
    for step in range(1, 11):
        now[0] += 1.0
        progress("trained", step, 10)
    assert lines == ["trained 3/10 (30%)", "trained 6/10 (60%)", "trained 9/10 (90%)"]
