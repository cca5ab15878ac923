def test_it_trains_with_the_early_learning_loss_on_the_labels_as_given(crowd, outcome):
    _, trainer = outcome("elr")
    assert len(trainer.jobs) == len(crowd.material.folds_trained)
    for job in trainer.jobs:
        assert (job.recipe.loss, job.recipe.mixing) == ("elr", "none")
        assert job.lesson.labels.tolist() == crowd.material.labels.tolist()
