import json
from dataclasses import asdict

import pytest

from benchmarks.ladder import WINNERS, LadderError, Rung, chosen, print_table, read_results
from benchmarks.ladder_scales import SCALES
from model.recipes import LADDER, find_recipe, override


def rung(recipe, seed, score):
    return Rung(recipe, seed, score, minutes=2.0, session="team/ladder/1")


def test_every_rung_has_the_winners_figure_or_none():
    assert list(WINNERS) == [recipe.__name__ for recipe in LADDER]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("recipe", WINNERS)
def test_every_scale_changes_fields_that_exist_to_legal_values(scale, recipe):
    options = SCALES[scale].overrides_of(recipe)
    changed = override(find_recipe(recipe), options[1::2])
    assert options[::2] == ["--set"] * (len(options) // 2)
    if scale == "cpu":
        assert changed.backbone == "narrow"


def test_a_rung_inherits_what_the_rungs_before_it_changed():
    scale = SCALES["cpu"]
    low = override(find_recipe("final"), scale.overrides_of("final")[1::2])
    high = override(find_recipe("metadata"), scale.overrides_of("metadata")[1::2])
    assert low.learning_rate == pytest.approx(high.learning_rate / 10)


def test_rungs_are_measured_in_the_order_of_the_ladder_and_unknown_ones_refused():
    assert chosen("final,metadata") == ["metadata", "final"]
    assert chosen(None) == list(WINNERS)
    with pytest.raises(LadderError, match="there is no rung 'top'"):
        chosen("top")


def test_the_newest_measurement_of_a_rung_counts(tmp_path):
    results = tmp_path / "results.jsonl"
    assert read_results(results) == []
    lines = [rung("metadata", 0, 0.5), rung("metadata", 1, 0.6), rung("metadata", 0, 0.7)]
    results.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines))
    assert sorted(line.score for line in read_results(results)) == [0.6, 0.7]


def test_the_table_says_mean_spread_gain_and_ends_with_the_figure(capsys):
    rungs = [rung("baseline_resnet50", s, 0.2) for s in (0, 1)]
    rungs += [rung("metadata", 0, 0.5), rung("metadata", 1, 0.7)]
    print_table(rungs, SCALES["cpu"])
    told = capsys.readouterr().out.splitlines()
    assert "| `metadata` | 0.600 ± 0.141 | +0.400 | 2.0 | 0.84 |" in told
    assert told[-1] == "ladder: 0.600 gmean-F1 (peer 0.200, ratio 3.00)"
