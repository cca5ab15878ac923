from benchmarks.cache_scores import Score, print_table, true_classes


def test_true_classes_come_in_the_order_of_the_pictures(tmp_path):
    (tmp_path / "test").mkdir()
    table = "image_name,answer\na.jpg,3\nb.jpg,0\nc.jpg,4\n"
    (tmp_path / "test" / "test_label").write_text(table, encoding="utf-8")
    assert true_classes(tmp_path, ["c.jpg", "a.jpg"]).tolist() == [4, 3]


def test_the_table_compares_every_kind_with_no_cache_seed_by_seed(capsys):
    scores = {
        "off": [Score(0.7, 80), Score(0.8, 90)],
        "jpeg": [Score(0.71, 50), Score(0.78, 60)],
        "raw": [Score(0.72, 40), Score(0.80, 40)],
    }
    print_table(scores)
    lines = capsys.readouterr().out.splitlines()
    assert "| off | 0.750 ± 0.071 | +0.000, +0.000 | 85 |" in lines
    assert "| jpeg | 0.745 ± 0.049 | +0.010, -0.020 | 55 |" in lines
    assert lines[-1].startswith("cache_scores: 0.745 ")
    assert lines[-1].endswith("(peer 0.750, ratio 0.99)")
