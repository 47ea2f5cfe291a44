"""Names, their order and the classes they form, the same on every system."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saddlepoint.data.layout import class_name, classify, kind, mismatch, shown, sort_key


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a.png", "picture"),
        ("A.JPG", "picture"),
        ("x/double.jpg.png", "picture"),
        ("-rf.png", "picture"),
        ("CON.png", "picture"),
        (".hidden.png", "picture"),
        ("IMG_1.HEIC", "foreign"),
        ("x.nef", "foreign"),
        ("labels.json", "labels"),
        ("set/dataset.json", "labels"),
        ("a/b/labels.json", "other"),
        ("labels.yaml", "other"),
        ("noext", "other"),
        ("a.txt", "other"),
        (".DS_Store", "system file"),
        ("x/Thumbs.db", "system file"),
        ("x/._a.png", "system file"),
        ("__MACOSX/a.png", "system file"),
        (".git/a.png", "hidden file"),
    ],
)
def test_kinds(name, what):
    assert kind(name) == what


def test_sniffing_opens_unknown_extensions_but_no_system_files():
    assert kind("noext", sniff=True) == kind("a.txt", sniff=True) == "picture"
    assert kind(".DS_Store", sniff=True) == "system file"


def test_mismatch():
    assert mismatch("a.png", "JPEG")
    assert not mismatch("a.jpg", "MPO")
    assert not mismatch("a.TIF", "TIFF")
    assert not mismatch("noext", "PNG")


def test_sub_folders_are_classes_in_the_order_of_their_names():
    labels, classes = classify(["dog/1.png", "cat/2.png", "dog/deep/er/3.png"])
    assert labels == ["dog", "cat", "dog"]
    assert classes == ("cat", "dog")


def test_a_flat_set_and_a_mixed_one_have_no_classes():
    assert classify(["a.png", "b.png"]) == ([None, None], ())
    assert classify(["a.png", "cat/b.png", "dog/c.png"]) == ([None] * 3, ())


def test_a_folder_that_wraps_everything_is_looked_into():
    assert classify(["set/train/cat/1.png", "set/train/dog/1.png"])[1] == ("cat", "dog")
    assert classify(["set/1.png", "set/2.png"]) == ([None, None], ())


def test_barren_folders_are_classes_without_pictures():
    assert classify(["cat/1.png"], ["cow"]) == (["cat"], ("cat", "cow"))
    assert classify(["1.png"], ["cow"]) == ([None], ())
    assert classify([], ["cow"]) == ([], ())


def test_unicode_twins_are_one_class_whose_name_is_its_nfc_form():
    composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    labels, classes = classify([f"{composed}/1.png", f"{decomposed}/2.png", "a/3.png"])
    assert classes == ("a", composed)
    assert labels == [composed, composed, "a"]
    assert class_name("caf\udce9") == "caf\\xe9"


def test_names_are_ordered_by_the_bytes_of_their_nfc_form():
    names = ["Z.png", "a.png", "é.png", unicodedata.normalize("NFD", "é.png"), "日.png", "😀.png", "x\udcff.png"]
    expected = ["Z.png", "a.png", "x\udcff.png", unicodedata.normalize("NFD", "é.png"), "é.png", "日.png", "😀.png"]
    assert sorted(names, key=sort_key) == expected


@pytest.mark.parametrize("name", ["a\nb.png", "a\udcff.png", "trailing ", "a\x1b[31m", "a\u202eb"])
def test_odd_names_are_escaped_in_messages(name):
    assert shown(name) == ascii(name)
    assert shown(name).isascii()


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.text("abé/.日\u0301", min_size=1, max_size=9), max_size=12), st.randoms())
def test_classes_do_not_depend_on_the_order_of_names(names, random):
    labels, classes = classify(names)
    assert set(filter(None, labels)) <= set(classes)
    assert list(classes) == sorted(set(classes), key=sort_key)
    shuffled = list(range(len(names)))
    random.shuffle(shuffled)
    again, same = classify([names[i] for i in shuffled])
    assert same == classes
    assert again == [labels[i] for i in shuffled]
