"""Label files: each form, matched to pictures by name, and everything that can be wrong with them."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saddlepoint.data.labels import read
from saddlepoint.errors import DataError

CELEBA = "3\nBald Smiling\n1.jpg -1  1\n2.jpg -1 -1\n3.jpg  1  1\n"


def table(file, text, pictures, others=()):
    """Attributes of `pictures` by the file, as records, and the strays."""
    attributes, strays = read(file, text if isinstance(text, bytes) else text.encode(), "photos").attributes(
        pictures, others
    )
    return [attributes.of(number) for number in range(len(pictures))], strays


def refusal(file, text, pictures=("a.png", "b.png")):
    """The error that a file raises, when read or when looked up."""
    with pytest.raises(DataError) as caught:
        table(file, text, list(pictures))
    assert caught.value.exit_code == 65
    assert len(str(caught.value).splitlines()) <= 6
    assert "\n" not in caught.value.what
    return caught.value


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("labels.json", '{"b.png": "cat", "a.png": "dog"}'),
        ("labels.json", '\ufeff{"b.png": " cat", "./a.png": "dog"}'),
        ("dataset.json", '{"labels": [["b.png", "cat"], ["a.png", "dog"]], "other": 1}'),
        ("labels.csv", "file,label\nb.png,cat\na.png,dog\n"),
        ("labels.csv", 'file;label\r\n"b.png"; cat\r\n\r\na.png;dog'),
        ("labels.csv", "file\tlabel\nb.png\tcat\na.png\tdog\n"),
    ],
)
def test_every_form_says_the_same(file, text):
    assert table(file, text, ["a.png", "b.png"]) == ([{"label": "dog"}, {"label": "cat"}], [])


def test_several_attributes():
    hairy = '{"a.png": {"hair": "short", "glasses": null}, "b.png": {"glasses": true, "age": 7}}'
    assert table("labels.json", hairy, ["a.png", "b.png"])[0] == [
        {"age": "none", "glasses": "none", "hair": "short"},
        {"age": "7", "glasses": "yes", "hair": "none"},
    ]
    assert table("labels.csv", "f,x,y\na.png,1,\nb.png,2,z\n", ["b.png", "a.png"])[0] == [
        {"x": "2", "y": "z"},
        {"x": "1", "y": "none"},
    ]


@pytest.mark.parametrize("folder", ["", "img_align_celeba/"])
def test_celeba_says_yes_and_no(folder):
    pictures = [f"{folder}{number}.jpg" for number in (1, 2, 3)]
    expected = [{"Bald": bald, "Smiling": smiling} for bald, smiling in (("no", "yes"), ("no", "no"), ("yes", "yes"))]
    assert table("list_attr_celeba.txt", CELEBA, pictures)[0] == expected
    as_csv = "image_id,Bald,Smiling\n1.jpg,-1,1\n2.jpg,-1,-1\n3.jpg,1,1\n"
    assert table("list_attr_celeba.csv", as_csv, pictures)[0] == expected


def test_names_are_relative_to_the_file_and_compared_in_one_form():
    composed, apart = (unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))
    text = json.dumps({"a\\1.png": "x", apart: "y"})
    assert table("set/labels.json", text, ["set/a/1.png", f"set/{composed}"])[0] == [{"label": "x"}, {"label": "y"}]
    both = json.dumps({composed: "x", apart: "y"})  # twins that a folder may well hold
    assert table("labels.json", both, [composed, apart])[0] == [{"label": "x"}, {"label": "y"}]


def test_class_names_are_in_one_form_and_may_be_odd():
    odd = ["..", "-rf", "<b>", "a\nb", "日本語", unicodedata.normalize("NFD", "é")]
    text = json.dumps({f"{number}.png": name for number, name in enumerate(odd)})
    found = [record["label"] for record in table("labels.json", text, [f"{n}.png" for n in range(len(odd))])[0]]
    assert found == [*odd[:-1], "é"]


def test_strays_are_told_unless_they_are_pictures_that_cannot_be_used():
    text = '{"a.png": 0, "b.png": 1, "bad.png": 1, "gone.png": 0}'
    assert table("labels.json", text, ["a.png", "b.png"], ["bad.png"])[1] == ["gone.png"]


def test_a_picture_without_an_entry_is_named():
    missing = [f"a/{number}.png" for number in range(7, 48)]
    error = refusal("labels.json", '{"a/1.png": "cat"}', ["a/1.png", *missing])
    assert error.what == "labels.json has no entry for `a/7.png` (and 40 more)"
    assert error.where == "photos"
    assert "--no-classes" in error.fix
    error = refusal("labels.csv", "f,label\nA/7.PNG,cat\n", ["a/7.png"])
    assert error.what == "labels.csv has no entry for `a/7.png`"
    assert "it has `A/7.PNG`" in error.fix


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("labels.json", "", "Expecting value"),
        ("labels.json", "[]", "not an object"),
        ("labels.json", "3", "not an object"),
        ("labels.json", '{"a.png": "x", "a.png": "y"}', "repeats `a.png`"),
        ("labels.json", '{"a.png": "x", "./a.png": "y"}', "repeats `./a.png`"),
        ("labels.json", '{"a.png": {"x": 1, "x": 2}}', "repeats `x`"),
        ("labels.json", '{"a.png": "x", "b.png": {"y": 1}}', "some pictures have a label"),
        ("labels.json", '{"a.png": [1, 2]}', "neither text nor a number"),
        ("labels.json", '{"a.png": {"x": {"y": 1}}}', "neither text nor a number"),
        ("labels.json", '{"a.png": {"x": 1, " x": 2}}', "must differ"),
        ("labels.json", '{"a.png": {"' + "x" * 101 + '": 1}}', "up to 100 letters"),
        ("labels.json", '{"a.png": NaN}', "NaN"),
        ("labels.json", '{"a.png": -Infinity}', "-Infinity"),
        ("labels.json", '{"../a.png": "x"}', "points outside"),
        ("labels.json", '{"x/..\\\\a.png": "x"}', "points outside"),
        ("labels.json", '{"/etc/passwd": "x"}', "points outside"),
        ("labels.json", '{"a.png": "\\ud800"}', "surrogates not allowed"),
        ("labels.json", '{"a.png": ' + "9" * 5000 + "}", "digits"),
        ("labels.json", "[" * 100_000, "nested too deeply"),
        ("labels.json", '{"a.png": ' * 100_000, "nested too deeply"),
        ("labels.json", '!!python/object/apply:os.system ["touch /canary"]', "Expecting value"),
        ("labels.json", b"\x80\x04\x95canary.", "utf-8"),
        ("labels.json", b"\xff\xfe{\x00}\x00", "utf-8"),
        ("dataset.json", '{"labels": {"a.png": 1}}', "not a list of pairs"),
        ("dataset.json", '{"labels": [["a.png"]]}', "not a list of pairs"),
        ("dataset.json", '{"labels": [[1, 2]]}', "does not begin with the name"),
        ("dataset.json", '{"labels": [["a.png", [0.5, 0.5]], ["b.png", [1.0, 0.0]]]}', "neither text nor a number"),
        ("dataset.json", '{"labels": [["a.png", 1], ["a.png", 1]]}', "repeats `a.png`"),
        ("labels.csv", "", "does not name a column"),
        ("labels.csv", "a.png\nb.png\n", "does not name a column"),
        ("labels.csv", "f,x,x\na.png,1,2\n", "names a column twice"),
        ("labels.csv", "f,x\na.png,1\nb.png\n", "line 3 has 1 cells"),
        ("labels.csv", "f,x\na.png,1,2\n", "line 2 has 3 cells"),
        ("labels.csv", 'f,x\n"a.png,1\n', "unexpected end of data"),
        ("labels.csv", f"f,x\na.png,{'y' * 200_000}\n", "field larger than"),
        ("labels.csv", "f,x\na.png,1\na.png,1\n", "repeats `a.png`"),
        ("list_attr_celeba.txt", "", "does not name a column"),
        ("list_attr_celeba.txt", "2\nBald\n1.jpg 1 1\n", "line 3 has 3 cells"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_why(file, text, why):
    error = refusal(file, text)
    assert error.what.startswith(f"{file} cannot be used: ")
    assert why in error.what
    assert len(error.what) < 300


@pytest.mark.parametrize("text", ["{}", '{"labels": null}', '{"classes": ["x"]}', "[1, 2]"])
def test_a_dataset_json_may_hold_no_labels(text):
    assert read("dataset.json", text.encode(), "photos") is None


def test_what_grows_when_it_is_read_is_refused():
    """Each picture with an attribute of its own: the table would have the square of their number."""
    text = json.dumps({f"{number}.png": {f"x{number}": 1} for number in range(5000)})
    assert "5,000 attributes of 5,000 pictures are too many" in refusal("labels.json", text).what
    assert refusal("labels.json", b" " * (65 << 20)).what == "labels.json cannot be used: 65 MB, limit 64 MB"


@pytest.mark.parametrize("file", ["labels.json", "dataset.json", "labels.csv", "list_attr_celeba.txt"])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_spoiled_files_are_read_or_refused(file, data):
    whole = {
        "labels.json": b'{"a.png": {"x": 1, "y": "u"}, "b.png": {"x": 2, "y": null}}',
        "dataset.json": b'{"labels": [["a.png", 3], ["b.png", 14]]}',
        "labels.csv": b'f,x,y\na.png,1,"u"\nb.png,2,\n',
        "list_attr_celeba.txt": b"2\nx y\na.png 1 -1\nb.png -1 1\n",
    }[file]
    place = data.draw(st.integers(0, len(whole)))
    spoiled = whole[:place] + data.draw(st.binary(max_size=4)) + whole[place + data.draw(st.integers(0, 4)) :]
    try:
        labels = read(file, spoiled, "photos")
        if labels is not None:
            labels.attributes(["a.png", "b.png"])
    except DataError:
        pass
