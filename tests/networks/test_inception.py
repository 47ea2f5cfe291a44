"""The layout of the published weights, and what sets this Inception apart from others."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn

from saddlepoint.networks.inception import BlockA, BlockC, BlockE, Inception

from .counting import parameters

# Of "name shape" lines of torch-fidelity 0.4.0's network, into which the published file loads strictly.
LAYOUT = "d84f693f2abd7fea61cb31c87d3b2f268bf707c1bae1db219afdad3363959cb0"


def test_every_tensor_has_the_name_and_shape_that_the_published_file_gives_it() -> None:
    with torch.device("meta"):
        network = Inception()
    state = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    shapes = {name: shape for name, shape in state.items() if not name.endswith("num_batches_tracked")}
    lines = sorted(f"{name} {shape}" for name, shape in shapes.items())
    assert len(lines) == 94 * 5 + 2
    assert shapes["Mixed_6d.branch7x7dbl_4.conv.weight"] == (160, 160, 7, 1)
    assert shapes["fc.weight"] == (1008, 2048)
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == LAYOUT
    # 23,834,568 of Inception-v3 without its second classifier, and eight classes more.
    assert parameters(network) == 23_834_568 + 8 * (2048 + 1)


@torch.no_grad()
def test_pictures_become_features_and_logits_without_biases() -> None:
    torch.manual_seed(0)
    network = Inception().eval()
    # Random weights let the signal die in 90 layers; normalizations that have seen data keep it up.
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    features, logits = network(torch.randn(1, 3, 299, 299))
    assert features.shape == (1, 2048)
    assert float(features.std()) > 1e-3
    assert logits.shape == (1, 1008)
    torch.testing.assert_close(logits, features @ network.fc.weight.T)


def transparent(block: nn.Module) -> nn.Module:
    """The block with a pooling branch that sums its input over the channels and does nothing else."""
    for name, branch in block.named_children():
        for parameter in branch.parameters():
            nn.init.zeros_(parameter)
        if name == "branch_pool":
            nn.init.ones_(branch.conv.weight)
            nn.init.ones_(branch.bn.weight)
    return block.eval()


@torch.no_grad()
def pooled(block: nn.Module, image: Tensor) -> Tensor:
    """What the pooling branch gives, to a thousandth: the normalization divides by the root of 1.001."""
    return transparent(block)(image)[0, -1]


def test_means_at_the_border_are_over_the_pixels_that_are_there() -> None:
    for block in (BlockA(1, 32), BlockC(1, 8), BlockE(1, largest=False)):
        flat = pooled(block, torch.ones(1, 1, 8, 8))
        torch.testing.assert_close(flat, torch.ones(8, 8), rtol=1e-3, atol=0)


def test_the_last_block_takes_the_largest_of_its_neighbors() -> None:
    dot = torch.zeros(1, 1, 8, 8)
    dot[0, 0, 4, 4] = 9
    spread = torch.zeros(8, 8)
    spread[3:6, 3:6] = 1
    torch.testing.assert_close(pooled(BlockE(1, largest=False), dot), spread, rtol=1e-3, atol=0)
    torch.testing.assert_close(pooled(BlockE(1, largest=True), dot), 9 * spread, rtol=1e-3, atol=0)
    with torch.device("meta"):
        network = Inception()
    assert network.Mixed_7c.largest
    assert not network.Mixed_7b.largest
