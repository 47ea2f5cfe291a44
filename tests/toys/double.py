"""Double precision, where sums in another order have to agree far closer than float32 can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def in_double() -> Iterator[None]:
    """Whatever is made inside, networks, data or noise, is made in float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
