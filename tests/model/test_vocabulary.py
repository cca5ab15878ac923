import numpy as np

from model.vocabulary import UNKNOWN_CATEGORY, learn_vocabulary

TRAIN = [("fashion", "coats"), ("food", "bread"), ("fashion", "shoes"), (), ("food", "")]


def test_every_learned_category_has_an_id_of_its_own():
    vocabulary = learn_vocabulary(TRAIN, levels=2)
    assert vocabulary.sizes == (3, 4)
    assert vocabulary.encode([("fashion", "bread"), ("food", "shoes")]).tolist() == [[1, 1], [2, 3]]


def test_a_category_that_training_never_met_is_unknown():
    vocabulary = learn_vocabulary(TRAIN, levels=2)
    strange = [("toys", "shoes"), ("food", "soup"), (), ("food",), ("", "")]
    assert vocabulary.encode(strange)[:, 0].tolist() == [0, 2, 0, 2, 0]
    assert vocabulary.encode(strange)[:, 1].tolist() == [3, 0, 0, 0, 0]
    assert UNKNOWN_CATEGORY == 0


def test_ids_do_not_depend_on_the_order_of_the_examples():
    assert learn_vocabulary(TRAIN, 2) == learn_vocabulary(TRAIN[::-1], 2)


def test_a_dataset_without_categories_still_encodes():
    vocabulary = learn_vocabulary([(), ()], levels=2)
    assert vocabulary.sizes == (1, 1)
    assert np.array_equal(vocabulary.encode([(), ("food", "bread")]), np.zeros((2, 2)))
