"""Attributes as a table: by picture in, by column out."""

import numpy as np
import pytest

from saddlepoint.data.attributes import Attributes, chosen
from saddlepoint.errors import DataError, UsageError

RECORDS = [
    {"hair": "long", "skin": "#aa8866", "head": "round"},
    {"hair": "short", "skin": "#aa8866", "head": "round", "glasses": "round"},
    {"hair": "long", "skin": "#442200", "head": "round"},
]


def test_what_never_varies_is_left_out_and_what_is_missing_is_none():
    table = Attributes.gather(RECORDS)
    assert table.names == ("glasses", "hair", "skin")
    assert len(table) == 3
    assert table.of(0) == {"glasses": "none", "hair": "long", "skin": "#aa8866"}
    assert table.of(1) == {"glasses": "round", "hair": "short", "skin": "#aa8866"}


def test_a_column_is_a_labelling():
    labels, classes = Attributes.gather(RECORDS).labels("hair")
    assert classes == ("long", "short")
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, [0, 1, 0])


def test_an_unknown_column_lists_the_known():
    with pytest.raises(UsageError) as caught:
        Attributes.gather(RECORDS).labels("beard")
    assert "glasses, hair, skin" in caught.value.fix


@pytest.mark.parametrize("records", [RECORDS, RECORDS[:1]])
def test_a_table_survives_the_disk(tmp_path, records):
    table = Attributes.gather(records)
    table.save(tmp_path / "table.json")
    again = Attributes.load(tmp_path / "table.json")
    assert (again.names, again.values) == (table.names, table.values)
    np.testing.assert_array_equal(again.codes, table.codes)
    assert again.codes.shape == (len(records), len(table.names))


@pytest.mark.parametrize("text", ["", "[]", '{"columns": []}', '{"count": 2, "columns": [{"codes": [1]}]}'])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "table.json").write_text(text)
    with pytest.raises(DataError, match="not a table"):
        Attributes.load(tmp_path / "table.json")


def test_several_columns_are_the_combinations_that_occur():
    records = [{"hair": h, "glasses": g, "n": "1"} for h, g in ("ab", "ab", "bb", "aa")]
    labels, classes = Attributes.gather(records).classes(("glasses", "hair"))
    assert classes == ("glasses=a hair=a", "glasses=b hair=a", "glasses=b hair=b")
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, [1, 1, 2, 0])
    np.testing.assert_array_equal(Attributes.gather(records).classes(("hair",))[0], [0, 0, 1, 0])


def test_whole_numbers_stand_in_their_order_before_names():
    values = ["10", "b", "9", "é", "a", "007"]
    table = Attributes.tabulate({"x": values}, len(values))
    assert table.values == (("007", "9", "10", "a", "b", "é"),)
    assert Attributes.tabulate({"x": values[::-1]}, len(values)).values == table.values


@pytest.mark.parametrize("value", ["0.5", "-1", "+2", "1e3", ".5", "nan", "-inf", "6.0", "x" * 101])
def test_a_measure_names_no_class(value):
    with pytest.raises(UsageError, match="names no class") as caught:
        Attributes.tabulate({"age": ["a", value]}, 2).classes(("age",))
    assert "`age`" in caught.value.what
    assert caught.value.where == "--by"


@pytest.mark.parametrize("value", ["0", "2020_01", "1.2.3", "-", "v1.0", "..", "-rf", "infinite", "x" * 100])
def test_a_name_may_look_like_anything_else(value):
    assert set(Attributes.tabulate({"x": ["a", value]}, 2).classes(("x",))[1]) == {"a", value}


def test_a_thousand_classes_are_accepted_and_no_more():
    def table(count):
        numbers = [str(number) for number in range(count)]
        return Attributes.tabulate({"x": numbers, "odd": [str(int(n) % 2) for n in numbers]}, count)

    assert len(table(1000).classes(("x",))[1]) == 1000
    with pytest.raises(UsageError, match="x would make 1,001 classes, at most 1,000") as caught:
        table(1001).classes(("x",))
    assert caught.value.fix == "choose attributes with fewer values: odd"
    with pytest.raises(UsageError, match="odd and x would make 1,001"):
        table(1001).classes(("odd", "x"))


def test_a_choice_is_sorted_and_each_name_counts_once():
    assert chosen("hair, glasses,hair") == chosen(["glasses", "hair"]) == ("glasses", "hair")
    assert chosen(()) == ()
    assert chosen("") == ("",)


def test_tables_stand_beside_each_other():
    both = Attributes.gather(RECORDS).beside(Attributes.tabulate({"n": ["1", "2", "3"]}, 3))
    assert both.of(1) == {**Attributes.gather(RECORDS).of(1), "n": "2"}
    assert len(Attributes.gather([{}, {}])) == 2
