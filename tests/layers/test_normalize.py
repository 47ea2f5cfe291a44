"""Normalizations of each sample by itself."""

from __future__ import annotations

import torch

from saddlepoint.layers.normalize import PixelNorm


def test_every_pixel_has_mean_square_one_and_keeps_its_direction() -> None:
    features = torch.randn(2, 6, 3, 4) * torch.tensor([1e-2, 1e2])[:, None, None, None]
    normal = PixelNorm()(features)
    # The small number under the root takes 5e-5 off squares of 1e-4.
    assert torch.allclose(normal.square().mean(1), torch.ones(2, 3, 4), atol=1e-3)
    assert torch.allclose(torch.cosine_similarity(normal, features), torch.ones(2, 3, 4), atol=1e-5)


def test_latents_lie_on_a_sphere() -> None:
    assert torch.allclose(PixelNorm()(torch.randn(5, 64)).norm(dim=1), torch.full((5,), 8.0), atol=1e-4)


def test_nothing_stays_nothing_and_low_precision_stays_low() -> None:
    nothing = torch.zeros(1, 4, 1, 1, dtype=torch.bfloat16, requires_grad=True)
    normal = PixelNorm()(nothing)
    normal.sum().backward()
    assert normal.dtype == torch.bfloat16
    assert not normal.any()
    assert bool(nothing.grad.isfinite().all())
