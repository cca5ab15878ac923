"""Recipes with several trainings, from examples to one ensemble that is saved and predicts."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.batch import UNKNOWN_LABEL
from model.campaign import Campaign, load_campaign
from model.errors import CheckpointError, ConfigError
from model.experiment import conduct
from model.pipeline import make_material, needs_campaign, variants
from model.predictor import load_checkpoint, newest_network, predict_with
from model.progress import ignore_progress
from model.ranks import Launch
from model.runner import CampaignListener

NAMES = ("worn", "placed", "swatch")


@pytest.fixture
def many(recipe):
    """Two of three folds at two sizes, with everything that is fitted on held-out predictions."""
    return replace(
        recipe,
        folds=3,
        folds_trained=2,
        image_sizes="16,24",
        ensemble_weights="out_of_fold",
        decision_rule="gmean_f1",
        category_prior="log_odds",
    )


class Stopped(Exception):
    """A session that ends at any minute."""


def run(campaign, source, on_epoch=lambda name, result: None, said=None):
    return conduct(
        campaign,
        source,
        launch=Launch(1, ()),
        listener=CampaignListener(on_epoch),
        say=(said if said is not None else []).append,
    )


def test_a_plain_recipe_needs_no_campaign(recipe, many):
    assert not needs_campaign(recipe)
    assert needs_campaign(many)
    assert needs_campaign(replace(recipe, noise_filter="self"))
    assert needs_campaign(replace(recipe, seeds=2))


def test_variants_are_every_backbone_at_every_size_with_every_seed(recipe):
    recipe = replace(recipe, seed=5, backbones="narrow,resnet18", image_sizes="16, 24", seeds=2)
    found = [(v.recipe.backbone, v.recipe.image_size, v.recipe.seed) for v in variants(recipe)]
    assert len(set(found)) == 8
    assert found[0] == ("narrow", 16, 5)
    assert found[-1] == ("resnet18", 24, 6)
    with pytest.raises(ConfigError, match="image_sizes holds 'large'"):
        variants(replace(recipe, image_sizes="16,large"))


def test_one_fold_is_a_hold_out_and_the_rest(recipe):
    labels = np.repeat([0, 1, 2], 10).astype(np.int64)
    material = make_material(
        recipe, labels=labels, categories=[()] * 30, groups=np.arange(30), class_names=NAMES
    )
    learn, held_out = material.held_out(0)
    assert len(learn) == 27
    assert np.bincount(labels[held_out]).tolist() == [1, 1, 1]


def test_members_learn_without_their_fold_and_are_joined(many, make_source):
    source, said = make_source(12), []
    campaign = Campaign(many, NAMES)
    names = []
    outcome = run(campaign, source, lambda name, result: names.append(name), said)
    assert list(dict.fromkeys(names)) == [
        "16 px, fold 1 of 3",
        "16 px, fold 2 of 3",
        "24 px, fold 1 of 3",
        "24 px, fold 2 of 3",
    ]
    table = outcome.out_of_fold
    assert table.pred_probs.shape == (2, 36, 3)
    assert sorted(table.covered) == sorted(np.flatnonzero(table.folds < 2))
    assert sum(outcome.ensemble.weights) == pytest.approx(1)
    assert {m.blueprint.preprocess.size for m in outcome.ensemble.members} == {16, 24}
    assert 0 <= outcome.decision.decided_f1 <= 1
    assert any("repeat another" in line for line in said)


def test_a_filter_drops_planted_mistakes_and_the_members_never_learn_them(recipe, make_source):
    source = make_source(30)
    wrong = np.array([0, 1, 40, 41])
    labels = source.labels.copy()
    shown = replace(source, labels=labels)
    # The pictures stay those of the true class.
    pictures = {index: source.picture(int(index)) for index in range(len(labels))}
    object.__setattr__(shown, "picture", lambda index: pictures[index])
    labels[wrong] = (labels[wrong] + 1) % 3
    recipe = replace(recipe, folds=3, noise_filter="confident_learning", epochs=8)
    outcome = run(Campaign(recipe, NAMES), shown)
    assert outcome.record is not None
    assert outcome.record.dropped[wrong].sum() >= 3
    assert outcome.record.dropped.sum() <= 10


def test_an_interrupted_campaign_goes_on_to_the_same_weights(many, make_source, tmp_path):
    source = make_source(12)
    whole = run(Campaign(many, NAMES), source)
    for stop_after in (1, 4, 7):
        folder = tmp_path / str(stop_after)
        folder.mkdir()
        campaign, epochs = Campaign(many, NAMES), []

        def after(name, result, *, campaign=campaign, epochs=epochs, folder=folder, n=stop_after):
            epochs.append(name)
            if len(epochs) == n:
                campaign.save(folder)
                raise Stopped

        with pytest.raises(Stopped):
            run(campaign, source, after)
        again = load_checkpoint(folder, torch.device("cpu"), training=True)
        assert isinstance(again, Campaign)
        resumed = run(again, source)
        for one, two in zip(whole.ensemble.members, resumed.ensemble.members, strict=True):
            for name, value in one.network.state_dict().items():
                assert torch.equal(value, two.network.state_dict()[name]), name
        assert whole.ensemble.weights == resumed.ensemble.weights
        assert whole.ensemble.offsets == resumed.ensemble.offsets


def test_the_saved_ensemble_predicts_the_same(many, make_source, tmp_path):
    source = make_source(12)
    outcome = run(Campaign(many, NAMES), source)
    outcome.ensemble.save(tmp_path)
    loaded = load_checkpoint(tmp_path, torch.device("cpu"), training=False)
    unlabelled = replace(source, labels=np.full(36, UNKNOWN_LABEL))
    said = []
    told = {"say": said.append, "on_progress": ignore_progress}
    first = predict_with(outcome.ensemble, unlabelled, **told)
    assert sum("ms per picture to compute" in line for line in said) == 4
    second = predict_with(loaded, unlabelled, **told)
    assert np.array_equal(first.pred_probs, second.pred_probs)
    assert np.array_equal(first.y_pred, second.y_pred)


def test_an_unfinished_campaign_predicts_with_its_newest_network(many, make_source, tmp_path):
    with pytest.raises(CheckpointError, match="no network yet"):
        newest_network(Campaign(many, NAMES))
    campaign = Campaign(many, NAMES)
    run(campaign, make_source(12))
    campaign.save(tmp_path)
    again = load_campaign(tmp_path, torch.device("cpu"))
    trainee = newest_network(again)
    assert trainee.blueprint.recipe.image_size == 24
    prior = trainee.blueprint.prior
    assert prior is not None
    kept = campaign.finished[-1].blueprint
    assert kept is not None
    assert prior == kept.prior


def test_a_damaged_campaign_is_refused(many, tmp_path):
    Campaign(many, NAMES).save(tmp_path)
    (tmp_path / "campaign.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match="no complete checkpoint of a campaign"):
        load_campaign(tmp_path, torch.device("cpu"))


def test_networks_that_judged_the_labels_join_the_ensemble(recipe, make_source):
    source = make_source(12)
    apart = replace(recipe, folds=3, noise_filter="label_issues", filter_rounds=2)
    together = replace(apart, filter_members=True, ensemble_weights="out_of_fold")
    alone, joined = (run(Campaign(r, NAMES), source) for r in (apart, together))
    assert len(alone.ensemble.members) == 3
    # Two models of three folds each judged; nothing more is trained for it.
    assert len(joined.ensemble.members) == 9
    names = [row.name for row in joined.rows]
    assert names[3:] == [f"cross-check {m}, fold {f} of 3" for m in (1, 2) for f in (1, 2, 3)]
    assert joined.out_of_fold.pred_probs.shape == (3, 36, 3)
    assert np.allclose(joined.out_of_fold.pred_probs.sum(axis=2), 1, atol=1e-5)
    assert np.array_equal(joined.out_of_fold.pred_probs[0], alone.out_of_fold.pred_probs[0])
    assert sum(joined.ensemble.weights) == pytest.approx(1)
    shares = np.array(joined.ensemble.weights).reshape(3, 3)
    assert np.allclose(shares, shares[:, :1])


def test_networks_of_other_filters_cannot_join(recipe, make_source):
    wrong = replace(recipe, folds=3, noise_filter="self", filter_members=True)
    with pytest.raises(ConfigError, match="noise_filter=label_issues"):
        run(Campaign(wrong, NAMES), make_source(12))
    without = run(Campaign(replace(wrong, noise_filter="none"), NAMES), make_source(12))
    assert len(without.ensemble.members) == 3
