"""EfficientNet-Lite0 with its normalizations folded in, against one that has them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saddlepoint.networks.lite import Lite0, fold

from .counting import parameters

# Blocks of the published network: size of the depthwise convolution, features entering, between and leaving.
BLOCKS = (
    *[(3, 32, 32, 16), (3, 16, 96, 24), (3, 24, 144, 24), (5, 24, 144, 40), (5, 40, 240, 40)],
    *[(3, 40, 240, 80), (3, 80, 480, 80), (3, 80, 480, 80), (5, 80, 480, 112), (5, 112, 672, 112), (5, 112, 672, 112)],
    *[(5, 112, 672, 192), (5, 192, 1152, 192), (5, 192, 1152, 192), (5, 192, 1152, 192), (3, 192, 1152, 320)],
)


def published() -> dict[str, Tensor]:
    """Random tensors with the names and shapes of the published ones."""
    torch.manual_seed(0)
    state: dict[str, Tensor] = {}

    def add(place: str, convolution: str, norm: str, leaving: int, entering: int, size: int) -> None:
        state[f"{place}{convolution}.weight"] = torch.randn(leaving, entering, size, size) / (entering**0.5 * size)
        state[f"{place}{norm}.weight"] = torch.rand(leaving) + 0.5
        state[f"{place}{norm}.bias"] = torch.randn(leaving)
        state[f"{place}{norm}.running_mean"] = torch.randn(leaving)
        state[f"{place}{norm}.running_var"] = torch.rand(leaving) + 0.5
        state[f"{place}{norm}.num_batches_tracked"] = torch.tensor(1)

    add("", "_conv_stem", "_bn0", 32, 3, 3)
    for index, (size, entering, hidden, leaving) in enumerate(BLOCKS):
        place = f"_blocks.{index}."
        if hidden != entering:
            add(place, "_expand_conv", "_bn0", hidden, entering, 1)
        add(place, "_depthwise_conv", "_bn1", hidden, 1, size)
        add(place, "_project_conv", "_bn2", leaving, hidden, 1)
    add("", "_conv_head", "_bn1", 1280, 320, 1)
    state["_fc.weight"], state["_fc.bias"] = torch.randn(1000, 1280), torch.randn(1000)
    return state


def test_has_as_many_parameters_as_published_less_those_folded_in() -> None:
    with torch.device("meta"):
        network = Lite0()
    state = published()
    # 4,652,008 with two parameters for each feature of each normalization; folded, only its shift remains.
    learned = {name: value for name, value in state.items() if name.endswith((".weight", ".bias"))}
    assert sum(value.numel() for value in learned.values()) == 4_652_008
    features = sum(len(value) for name, value in state.items() if name.endswith("running_mean"))
    assert parameters(network) == 4_652_008 - features


def unfolded(state: dict[str, Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
    """The published network, spelled out; paddings are TensorFlow's `SAME` for even heights and widths."""

    def apply(features: Tensor, place: str, convolution: str, norm: str, stride: int = 1) -> Tensor:
        weight = state[f"{place}{convolution}.weight"]
        groups = features.shape[1] // weight.shape[1]
        total = weight.shape[-1] - stride if weight.shape[-1] > 1 else 0
        padded = F.pad(features, (total // 2, total - total // 2) * 2)
        mean, variance, scale, shift = (
            state[f"{place}{norm}.{kind}"] for kind in ("running_mean", "running_var", "weight", "bias")
        )
        done = F.conv2d(padded, weight, stride=stride, groups=groups)
        return F.batch_norm(done, mean, variance, scale, shift, eps=1e-3)

    features = F.relu6(apply(images, "", "_conv_stem", "_bn0", 2))
    strides = {1: 2, 3: 2, 5: 2, 11: 2}
    for index, (_, entering, hidden, leaving) in enumerate(BLOCKS):
        place, stride, before = f"_blocks.{index}.", strides.get(index, 1), features
        if hidden != entering:
            features = F.relu6(apply(features, place, "_expand_conv", "_bn0"))
        features = F.relu6(apply(features, place, "_depthwise_conv", "_bn1", stride))
        features = apply(features, place, "_project_conv", "_bn2")
        features = before + features if stride == 1 and entering == leaving else features
    features = F.relu6(apply(features, "", "_conv_head", "_bn1")).mean((2, 3))
    return features, F.linear(features, state["_fc.weight"], state["_fc.bias"])


@torch.no_grad()
def test_folding_leaves_the_function() -> None:
    state = published()
    network: nn.Module = Lite0().eval()
    network.load_state_dict(fold(state))
    images = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    for ours, theirs in zip(network(images), unfolded(state, images), strict=True):
        assert float(theirs.std()) > 0.1
        # 17 blocks of float32, rounded in another order.
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
