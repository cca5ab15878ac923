import numpy as np

from model.vocabulary import UNKNOWN_CATEGORY, Vocabulary, distinct_paths, learn_vocabulary

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


def test_a_rare_category_is_unknown_and_leaves_its_parent_known():
    vocabulary = learn_vocabulary([("food", "bread")] * 3 + [("food", "soup")] * 2, 2, min_count=3)
    assert vocabulary.levels == (("food",), ("bread",))
    assert vocabulary.encode([("food", "bread"), ("food", "soup")]).tolist() == [[1, 1], [1, 0]]


def test_a_name_under_two_parents_is_two_categories():
    train = [("food", "etc.", "a"), ("toys", "etc.", "a"), ("toys", "balls", "b"), ("", "balls")]
    vocabulary = learn_vocabulary(train, levels=3)
    assert vocabulary.sizes == (3, 4, 4)
    ids = vocabulary.encode(train)[:, 1].tolist()
    assert len(set(ids[:3])) == 3
    assert 0 not in ids
    # A name that means one thing is known without its parent, an ambiguous one is not.
    assert ids[2] == ids[3]
    assert vocabulary.encode([("garden", "etc."), ("garden", "balls")])[:, 1].tolist() == [
        0,
        ids[2],
    ]
    # The same name and parent under another grandparent is yet another category.
    assert len(set(vocabulary.encode(train)[:3, 2].tolist())) == 3


def test_whether_a_name_is_ambiguous_does_not_depend_on_how_often_it_is_met():
    train = [("food", "etc.")] * 5 + [("toys", "etc.")]
    vocabulary = learn_vocabulary(train, levels=2, min_count=2)
    assert vocabulary.encode([("food", "etc."), ("toys", "etc.")]).tolist() == [[1, 1], [0, 0]]


def test_a_vocabulary_of_bare_names_encodes_as_it_always_did():
    old = Vocabulary((("food", "toys"), ("balls", "etc.")))
    assert old.encode([("food", "etc."), ("toys", "etc."), ("toys", "balls")]).tolist() == [
        [1, 2],
        [2, 2],
        [2, 1],
    ]


def test_distinct_paths_put_back_together_are_the_examples():
    place, paths = distinct_paths(TRAIN * 2)
    assert [paths[number] for number in place] == TRAIN * 2
    assert len(paths) == len(TRAIN)
    assert distinct_paths([])[0].tolist() == []
