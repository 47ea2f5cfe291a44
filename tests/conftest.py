"""One thread for every test: results depend on the number of threads bit for bit, and tests run side by side."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

# Before torch is imported anywhere, and inherited by the processes that tests start.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture
def double() -> Iterator[None]:
    """Networks, data and noise in float64, so that sums in another order agree to 1e-12."""
    # Torch is imported here, after the number of its threads is set.
    from .toys.double import in_double

    with in_double():
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, then the largest, so that no process ends long after the others."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    size = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -size[item.path], item.path))
