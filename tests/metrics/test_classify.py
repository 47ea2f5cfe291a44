"""GAN-train and GAN-test: what they are high and low for; the probe is scikit-learn's logistic regression."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from saddlepoint.errors import DataError, UsageError
from saddlepoint.metrics.classify import Classifier, agreement, class_accuracy, gan_test, gan_train, nearest, probe
from saddlepoint.metrics.digits import learner

PLACES = 3 * torch.eye(4)


def draw(count: int, *, spread: float = 1.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Four classes, each around a place of its own."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 4
    return PLACES[labels] + spread * torch.randn(count, 4, generator=generator), labels


def test_accuracy_is_counted_by_class() -> None:
    told = torch.tensor([0, 0, 1, 3, 3])
    found = class_accuracy(lambda samples: told, torch.zeros(5, 3, 8, 8), torch.tensor([0, 1, 1, 3, 3]))
    assert found.overall == 0.8
    assert found.by_class == (1.0, 0.5, None, 1.0)
    assert found.counts == (1, 2, 0, 2)


def test_the_probe_is_logistic_regression() -> None:
    samples, labels = draw(300, spread=2.0)
    samples = samples * torch.tensor([1.0, 100.0, 0.01, 1.0]) + 50  # scales are taken out
    new, _ = draw(2000, spread=2.0, seed=1)
    new = new * torch.tensor([1.0, 100.0, 0.01, 1.0]) + 50
    scaler = StandardScaler().fit(samples.double())
    theirs = LogisticRegression(C=1 / (300 * 0.01), tol=1e-10, max_iter=5000)
    theirs.fit(scaler.transform(samples.double()), labels)
    expected = torch.from_numpy(theirs.predict(scaler.transform(new.double())))
    classify = probe(samples, labels, decay=0.01)
    # Both stop just short of the minimum: one of 2,000 may lie between.
    assert (classify(new) == expected).double().mean() >= 0.9995
    with torch.no_grad():
        again = probe(samples, labels, decay=0.01)
    assert torch.equal(again(new), classify(new))


def test_the_probe_knows_only_labels_that_it_has_seen_and_stands_constant_features() -> None:
    samples = torch.tensor([[0.0, 7.0], [1.0, 7.0], [2.0, 7.0], [3.0, 7.0]])
    classify = probe(samples, torch.tensor([2, 2, 9, 9]))
    assert classify(torch.tensor([[-1.0, 7.0], [5.0, 7.0]])).tolist() == [2, 9]
    assert probe(samples, torch.tensor([5, 5, 5, 5]))(samples).tolist() == [5] * 4


def test_both_accuracies_are_high_for_good_samples() -> None:
    real, fake = draw(400), draw(400, seed=1)
    baseline = gan_train(probe, *draw(400, seed=2), *real).overall
    # Two accuracies near 0.93 among 400 differ by no more than four times 0.018.
    assert gan_train(probe, *fake, *real).overall == pytest.approx(baseline, abs=0.072)
    assert gan_test(probe, *fake, *real).overall == pytest.approx(baseline, abs=0.072)


def test_a_generator_that_drops_modes_tests_well_but_does_not_teach() -> None:
    """Both classes lie at x = 0 and x = 6; samples show each at one of them only, so that x seems to tell them."""
    noise, labels = torch.randn(400, 2, generator=torch.Generator().manual_seed(0)) / 4, torch.arange(400) % 2
    height = 3.0 * labels
    real = noise + torch.stack([6.0 * (torch.arange(400) // 2 % 2), height], 1), labels
    fake = noise.flip(0) + torch.stack([6.0 - 2 * height, height], 1), labels
    assert gan_train(probe, *real, *real).overall == 1
    assert gan_test(probe, *fake, *real).overall == 1
    assert gan_train(probe, *fake, *real).overall < 0.85


def test_samples_of_the_wrong_class_fail_both_tests() -> None:
    real, (fake, labels) = draw(400), draw(400, seed=1)
    wrong = (labels + 1) % 4
    assert gan_train(probe, fake, wrong, *real).overall < 0.1
    found = gan_test(probe, fake, torch.where(labels == 0, 1, labels), *real)
    assert found.by_class[0] is None
    assert found.by_class[1] is not None
    assert found.by_class[1] < 0.6


def test_each_set_goes_where_its_name_says() -> None:
    seen = []

    def fit(samples: Tensor, labels: Tensor) -> Classifier:
        seen.append(("fit", samples.item()))

        def classify(samples: Tensor) -> Tensor:
            seen.append(("test", samples.item()))
            return torch.zeros(1, dtype=torch.int64)

        return classify

    fake, real, label = torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([0])
    gan_train(fit, fake, label, real, label)
    gan_test(fit, fake, label, real, label)
    assert seen == [("fit", 1), ("test", 2), ("fit", 2), ("test", 1)]


def test_pictures_of_digits_teach_a_network() -> None:
    images = torch.rand(128, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = gan_train(learner(epochs=1), images, torch.arange(128) % 10, images[:30], torch.arange(30) % 10)
    assert sum(found.counts) == 30


def test_the_nearest_sample_tells_as_scikit_learn_says() -> None:
    samples, labels = draw(300, spread=2.0)
    new, truth = draw(500, spread=2.0, seed=1)
    theirs = KNeighborsClassifier(1).fit(samples, labels)
    expected = torch.from_numpy(theirs.predict(new))
    assert torch.equal(nearest(samples, labels)(new), expected)
    found = gan_train(nearest, samples, labels, new, truth).overall
    assert found == pytest.approx(theirs.score(new, truth))
    assert gan_train(nearest, samples, labels, samples, labels).overall == 1


def test_classes_without_names_are_matched_the_best_way() -> None:
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])
    found = agreement(torch.tensor([2, 2, 0, 0, 0, 0, 1, 1]), labels)
    assert found.matching == (1, 2, 0)
    assert found.share == 7 / 8
    more = agreement(torch.tensor([0, 0, 3, 1, 1, 1, 4, 4]), labels)
    assert more.matching == (0, 1, None, None, 2), "one that is left over, and one that never came up"
    assert more.share == 7 / 8
    fewer = agreement(torch.zeros(8, dtype=torch.int64), labels)
    assert (fewer.matching, fewer.share) == ((0,), 3 / 8) or (fewer.matching, fewer.share) == ((1,), 3 / 8)
    with pytest.raises(UsageError, match="do not label"):
        agreement(torch.zeros(7, dtype=torch.int64), labels)


def test_chance_agrees_a_little_more_than_chance() -> None:
    generator = torch.Generator().manual_seed(0)
    found = agreement(*(torch.randint(10, (10_000,), generator=generator) for _ in range(2)))
    # The best of all matchings is a little lucky: each of its ten cells lies a deviation or two above 100.
    assert 0.1 < found.share < 0.13


def test_labels_that_do_not_fit_are_refused() -> None:
    samples, labels = draw(8)
    for wrong in (labels[:5], labels.float(), labels[:, None], torch.zeros(0, dtype=torch.int64)):
        with pytest.raises(UsageError, match="do not label"):
            gan_train(probe, samples, wrong, samples, labels)
    with pytest.raises(UsageError, match="labels from 0"):
        probe(samples, labels - 1)
    with pytest.raises(UsageError, match="a label for each"):
        class_accuracy(lambda samples: torch.zeros(8, 4), samples, labels)
    with pytest.raises(DataError, match="not finite"):
        probe(torch.full((8, 4), torch.nan), labels)
