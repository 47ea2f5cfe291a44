"""Dropout that goes on after training."""

from __future__ import annotations

import pytest
import torch

from saddlepoint.layers.dropout import NoisyDropout


@pytest.mark.parametrize("training", [True, False])
def test_features_are_dropped_in_training_and_after_it(training: bool) -> None:
    torch.manual_seed(0)
    layer, features = NoisyDropout(0.25).train(training), torch.ones(100, 100)
    left = layer(features)
    # 10,000 coins: five standard deviations are 0.022.
    assert (left == 0).float().mean().item() == pytest.approx(0.25, abs=0.022)
    assert left.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert not torch.equal(layer(features), left)
