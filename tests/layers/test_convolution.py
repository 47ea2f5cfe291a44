"""Each layer computes what torch's convolution computes, with the same gradients of the first and second order."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import grad

from saddlepoint.layers import convolution, patches, winograd
from saddlepoint.layers.convolution import Down, Head, Stem, Up

Function = Callable[[Tensor], Tensor]


def plain(layer: nn.Conv2d | nn.ConvTranspose2d) -> Function:
    """The torch layer that `layer` extends, on the same parameters."""
    convolve: Function = {nn.Conv2d: nn.Conv2d.forward, nn.ConvTranspose2d: nn.ConvTranspose2d.forward}[
        type(layer).__mro__[1]
    ].__get__(layer)
    if isinstance(layer, Stem):
        return lambda latents: convolve(latents[:, :, None, None])
    return (lambda features: convolve(features).flatten()) if isinstance(layer, Head) else convolve


CASES = {
    "stem": (lambda: Stem(7, 5), (6, 7)),
    "stem with a bias": (lambda: Stem(7, 5, bias=True), (6, 7)),
    "head": (lambda: Head(5), (6, 5, 4, 4)),
    "head with a bias": (lambda: Head(5, bias=True), (6, 5, 4, 4)),
    "down, short rows": (lambda: Down(3, 5), (6, 3, 8, 4)),
    "down with a bias": (lambda: Down(3, 5, bias=True), (6, 3, 4, 4)),
    "down, long rows": (lambda: Down(3, 5), (2, 3, 8, 40)),
    "down, odd height": (lambda: Down(3, 5), (2, 3, 5, 4)),
    "down, odd width": (lambda: Down(3, 5), (2, 3, 4, 5)),
    "down, 6 rows": (lambda: Down(3, 5), (2, 3, 6, 4)),
    "up, short rows": (lambda: Up(5, 3), (6, 5, 4, 2)),
    "up with a bias": (lambda: Up(5, 3, bias=True), (6, 5, 2, 2)),
    "up, 3 rows": (lambda: Up(5, 3), (6, 5, 3, 2)),
    "up, long rows": (lambda: Up(5, 3), (2, 5, 2, 20)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("way", [winograd, patches], ids=["winograd", "patches"])
def test_equals_torch(case: str, layout: torch.memory_format, way: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "_way", lambda images: way)
    monkeypatch.setattr(patches, "BLOCK", 1000)  # several blocks, the last one smaller
    torch.manual_seed(0)
    build, shape = CASES[case]
    layer = build().double().to(memory_format=layout)
    given = torch.randn(shape, dtype=torch.float64)
    given = (given.to(memory_format=layout) if given.ndim == 4 else given).requires_grad_()
    inputs = [given, *layer.parameters()]

    found, expected = derivatives(layer, given, inputs), derivatives(plain(layer), given, inputs)

    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def derivatives(function: Function, given: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    """The output, its gradients, and the gradients of a penalty on these, as R1 and WGAN-GP take them."""
    output = function(given)
    # Cubes: every gradient depends on every input, so that each second derivative is more than zero.
    first = grad((output**3).sum(), inputs, create_graph=True)
    second = grad(sum(((gradient**2).sum() for gradient in first), torch.zeros(())), inputs)
    return [output, *first, *second]


@pytest.mark.parametrize(("layer", "width"), [(Down(3, 5), 8), (Up(3, 5), 4)])
def test_short_rows_take_the_product_and_long_rows_the_convolution(layer: nn.Module, width: int) -> None:
    assert "Halve" in name(layer, width) or "Double" in name(layer, width)
    assert "Convolution" in name(layer, 4 * width)


def name(layer: nn.Module, width: int) -> str:
    return str(layer(torch.randn(1, 3, width, width)).grad_fn)


@pytest.mark.parametrize("layer", [Stem(8, 5), Head(8), Down(8, 5), Up(8, 5)])
def test_autocast_computes_in_bfloat16(layer: nn.Module) -> None:
    given = torch.randn(3, 8) if isinstance(layer, Stem) else torch.randn(3, 8, 4, 4)
    exact = layer(given)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer(given)
    rounded.float().sum().backward()
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), exact, rtol=0, atol=0.05)
    assert all(weight.grad is not None and weight.grad.dtype == torch.float32 for weight in layer.parameters())


@pytest.mark.parametrize("layer", [Down(3, 5), Up(3, 5)])
def test_only_the_mover_s_gradients_are_computed(layer: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Tensor:
        raise AssertionError("nobody asked for the weight's gradient")

    monkeypatch.setattr(convolution._Correlate, "forward", staticmethod(refuse))
    images = torch.randn(2, 3, 4, 4, requires_grad=True)
    layer(images).sum().backward(inputs=[images])
    assert images.grad is not None
    grad(layer(images).sum(), images)
    with pytest.raises(AssertionError, match="nobody asked"):
        layer(images).sum().backward()
