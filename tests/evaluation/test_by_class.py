"""Each class by itself."""

from __future__ import annotations

import pytest

from saddlepoint.errors import UsageError
from saddlepoint.evaluation.by_class import by_class, class_sheet
from saddlepoint.evaluation.evaluate import evaluate
from saddlepoint.evaluation.families import choose
from saddlepoint.evaluation.sides import Made, Set
from saddlepoint.evaluation.sight import Sight
from saddlepoint.evaluation.subject import Subject
from saddlepoint.metrics.features import find
from saddlepoint.pictures.evaluation import class_rows

from .painter import Painter
from .test_families import JUNK, REAL, SAME, blobs, few
from .test_labeled import compared, made

CHOSEN = choose(["fd", "precision", "swd", "accuracy"], points=False)


def test_a_class_that_is_missed_is_seen() -> None:
    c = compared(made(Painter(paints=(0, 1, 0)), 300))
    found = by_class(c, CHOSEN)
    assert list(found) == ["0", "1", "2"]
    values = {name: {score.name: score.value for score in scores} for name, scores in found.items()}
    assert set(values["0"]) == {
        "fd_quarters", "precision_quarters", "recall_quarters", "density_quarters", "coverage_quarters",
        "accuracy_quarters",
    }  # fmt: skip
    assert values["2"]["fd_quarters"] > 1.3 * max(values[name]["fd_quarters"] for name in "01")
    assert values["0"]["accuracy_quarters"] > 0.9 > 0.1 > values["2"]["accuracy_quarters"]
    counts = [sum(getattr(scores[0], side) for scores in found.values()) for side in ("generated", "real")]
    assert counts == [300, 300]


def test_the_same_law_is_near_in_each_class() -> None:
    found = by_class(compared(SAME), choose(["precision"], points=False))
    for scores in found.values():
        by_name = {score.name: score.value for score in scores}
        assert by_name["precision_quarters"] > 0.6
        assert by_name["recall_quarters"] > 0.6
        assert all(score.low is None for score in scores)


def test_what_cannot_be_told_by_class_is_refused() -> None:
    with pytest.raises(UsageError, match="share no class of 20 pictures"):
        by_class(compared(JUNK), CHOSEN)
    with pytest.raises(UsageError, match="share no class of 20 pictures"):
        by_class(compared(Set(blobs(30, 1))), CHOSEN)
    with pytest.raises(UsageError, match="none of these scores"):
        by_class(compared(SAME), choose(["swd"], points=False))


def test_the_sheet_has_a_row_a_class() -> None:
    sheet = class_sheet(compared(made(Painter())))
    assert sheet is not None
    assert sheet.width > 2 * 8 * 56
    assert class_sheet(compared(JUNK)) is None


def test_an_evaluation_holds_them_and_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(made(Painter()), {"training": REAL}, {})
    found = evaluate(subject, choose(["fd", "accuracy"], points=False), Sight(few()), by_class=True)
    facts = found.facts()
    head, *rows = class_rows(facts["by_class"]["training"])
    assert head == ["class", "fd_quarters", "accuracy_quarters", "generated", "real"]
    assert [row[0] for row in rows] == ["0", "1", "2"]
    assert "By class" in [title for title, _, _ in found.sheets]
    alone = evaluate(subject, choose(["fd"], points=False), Sight(few()))
    assert alone.facts()["by_class"] == {}


def test_neighbors_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from saddlepoint.evaluation import comparison

    calls = []
    search = comparison.neighbors
    monkeypatch.setattr(comparison, "neighbors", lambda *given: calls.append(1) or search(*given))
    subject = Subject(Made(Painter().eval(), 30, name="painter"), {"training": Set(blobs(30, 0))}, {})
    evaluate(subject, choose(["memory"], points=False), Sight(find("pixels", side=4)))
    assert calls == [1]
