import numpy as np

from model.filters.self_training import UNSURE


def test_most_changed_labels_are_changed_to_the_right_class(crowd, outcome):
    record, _ = outcome("self_training")
    changed = record.relabelled
    assert changed.sum() > 0.3 * crowd.wrong.sum()
    assert (record.labels[changed] == crowd.clean[changed]).mean() > 0.95


def test_the_student_learns_from_the_teachers_labels(outcome):
    _, trainer = outcome("self_training")
    first, second = trainer.jobs[0].lesson.labels, trainer.jobs[2].lesson.labels
    changed = (second >= 0) & (second != first)
    assert changed.any()


def test_the_least_confident_of_each_predicted_class_are_dropped(crowd, outcome):
    record, trainer = outcome("self_training")
    rounds = [trainer.results[start : start + 2] for start in range(0, len(trainer.results), 2)]
    helped = rounds[: 1 if "round 2 no longer helped" in record.reason else 2]
    teacher = np.mean([result.pred_probs for result in helped[-1]], axis=0)
    predicted, confidence = teacher.argmax(axis=1), teacher.max(axis=1)
    for number in range(crowd.material.num_classes):
        members = np.flatnonzero(predicted == number)
        weakest = members[confidence[members].argsort()][: int(UNSURE * len(members))]
        assert record.dropped[weakest].all()
