"""Classes by name, and mixtures of them: rows of shares (N, K), which conditional games take in the place of labels.

A network with a vector for each class gets the same mixture of the vectors. Brock et al. 2019, "Large Scale GAN
Training", go from class to class this way with the latent held; that is also called breeding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import UsageError

_MOST = 20


def number(wanted: int | str, classes: Sequence[str], *, where: str = "--labels") -> int:
    """The number of a class.

    Args:
        wanted: its name or, where no class has that name, its number.
        classes: their names.
        where: the class was asked for, for the message.

    Raises:
        UsageError: there is no such class.
    """
    if str(wanted) in classes:
        return classes.index(str(wanted))
    found = int(wanted) if str(wanted).isascii() and str(wanted).isdigit() else -1
    if not 0 <= found < len(classes):
        raise UsageError(
            f"there is no class {str(wanted)!r}",
            where=where,
            fix=f"the {len(classes)} classes are {_some(classes)}",
        )
    return found


def chosen(wanted: Tensor | Sequence[int | str], classes: Sequence[str], count: int) -> Tensor:
    """Labels as conditional games take them: the wanted classes one after the other, again and again.

    Args:
        wanted: classes by name or number; or float (count, K), shares of the classes, which stay as they are.
        classes: their names.
        count: how many labels.

    Returns:
        int64 (count,), or float (count, K).

    Raises:
        UsageError: no class, one that there is not, or shares of another shape.
    """
    if isinstance(wanted, Tensor) and wanted.is_floating_point():
        if wanted.shape != (count, len(classes)):
            raise UsageError(
                f"shares of classes have shape {(count, len(classes))}, not {tuple(wanted.shape)}", where="--labels"
            )
        return wanted
    numbers = [number(each, classes) for each in (wanted.tolist() if isinstance(wanted, Tensor) else wanted)]
    if not numbers:
        raise UsageError("no class was asked for", where="--labels", fix=f"of {_some(classes)}")
    return torch.tensor(numbers)[torch.arange(count) % len(numbers)]


def pure(numbers: Sequence[int], classes: Sequence[str]) -> Tensor:
    """Classes by number as shares, float (E, K): what mixtures lie between."""
    return F.one_hot(torch.tensor(numbers), len(classes)).float()


def between(corners: Tensor, across: Tensor | float, down: Tensor | float = 0.0) -> Tensor:
    """The mixture at a place of a line between two classes, or of a square between four.

    Args:
        corners: shares (2, K), from left to right; or (4, K), from left to right and from top to bottom.
        across: 0 at the left, 1 at the right; (…) or a number.
        down: 0 at the top, 1 at the bottom; ignored on a line.

    Returns:
        Shares (…, K).
    """
    x, y = (part.unsqueeze(-1) for part in torch.broadcast_tensors(torch.as_tensor(across), torch.as_tensor(down)))
    top = corners[0] * (1 - x) + corners[1] * x
    if len(corners) == 2:
        return top
    return top * (1 - y) + (corners[2] * (1 - x) + corners[3] * x) * y


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST]) + (", …" if len(names) > _MOST else "")
