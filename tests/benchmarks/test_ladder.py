import json
from dataclasses import asdict, replace

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
    scale = SCALES["cpu"]
    assert chosen("final,metadata", scale) == ["metadata", "final"]
    assert chosen(None, scale) == [*WINNERS, "winners_trained_alike"]
    with pytest.raises(LadderError, match="there is no rung 'top'"):
        chosen("top", scale)


def test_a_control_is_its_rung_with_further_fields():
    scale = SCALES["cpu"]
    assert scale.recipe_of("winners_trained_alike") == "winners_ensemble"
    rung = override(find_recipe("winners_ensemble"), scale.overrides_of("winners_ensemble")[1::2])
    control = override(
        find_recipe("winners_ensemble"), scale.overrides_of("winners_trained_alike")[1::2]
    )
    assert control == replace(rung, epochs=15, mixing="none", crop_scale=0.9, weight_decay=0.5)


def test_the_newest_measurement_of_a_rung_counts(tmp_path):
    results = tmp_path / "results.jsonl"
    assert read_results(results) == []
    lines = [rung("metadata", 0, 0.5), rung("metadata", 1, 0.6), rung("metadata", 0, 0.7)]
    results.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines))
    assert sorted(line.score for line in read_results(results)) == [0.6, 0.7]


def test_the_table_says_mean_spread_gain_and_ends_with_the_figure(capsys):
    rungs = [rung("baseline_resnet50", s, 0.2) for s in (0, 1)]
    rungs += [rung("metadata", 0, 0.5), rung("metadata", 1, 0.7)]
    rungs += [rung("winners_trained_alike", 0, 0.55)]
    print_table(rungs, SCALES["cpu"])
    told = capsys.readouterr().out.splitlines()
    assert "| `metadata` | 0.600 ± 0.141 | +0.400 | 2.0 | 0.84 |" in told
    assert "| `winners_trained_alike` | 0.550 | control: top +0.050 | 2.0 |  |" in told
    assert told[-1] == "ladder: 0.600 gmean-F1 (peer 0.200, ratio 3.00)"
