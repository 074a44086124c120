import torch
import torch.nn.functional as F

from selfsup.methods.contrast import CANDIDATES, told_apart


def test_each_is_looked_for_among_its_group_by_cosine() -> None:
    first, second = torch.randn(2, 2 * CANDIDATES, 5)
    answers = told_apart(first, second)
    assert answers.entries.tolist() == list(range(2 * CANDIDATES))
    assert answers.labels is not None
    assert answers.labels.tolist() == 2 * list(range(CANDIDATES))
    assert answers.scores is not None
    for entry in (0, CANDIDATES - 1, CANDIDATES, CANDIDATES + 3):
        group = second[entry // CANDIDATES * CANDIDATES :][:CANDIDATES]
        torch.testing.assert_close(answers.scores[entry], F.cosine_similarity(first[entry], group))


def test_the_last_group_is_filled_up_with_those_before_it() -> None:
    first = torch.randn(CANDIDATES + 10, 32)
    answers = told_apart(first, 3 * first)
    assert answers.labels is not None
    assert answers.labels[CANDIDATES:].tolist() == list(range(CANDIDATES - 10, CANDIDATES))
    assert answers.scores is not None
    assert torch.equal(answers.scores.argmax(dim=1), answers.labels)


def test_of_fewer_pictures_the_other_candidates_are_never_the_answer() -> None:
    first = torch.randn(5, 32)
    answers = told_apart(first, first)
    assert answers.scores is not None
    assert answers.scores.shape == (5, CANDIDATES)
    assert answers.scores.argmax(dim=1).tolist() == [0, 1, 2, 3, 4]
    assert (answers.scores[:, 5:] == -1).all()
