"""Attributes as a table: by picture in, by column out."""

import numpy as np
import pytest

from saddlepoint.data.attributes import Attributes
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
