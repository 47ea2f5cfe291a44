"""Historical averaging: the mean of all the weights there were, and the distance from it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saddlepoint.layers.history import History


def test_the_mean_is_of_all_weights_there_were() -> None:
    network = nn.Linear(1, 1, bias=False)
    places = [3.0, 5.0, -2.0, 6.0]
    nn.init.constant_(network.weight, places[0])
    history = History(network)
    for place in places[1:]:
        nn.init.constant_(network.weight, place)
        history.update()
    assert float(history.get_buffer("mean0")) == pytest.approx(3.0)
    assert float(history.penalty().detach()) == pytest.approx((6.0 - 3.0) ** 2)


def test_the_penalty_pulls_every_weight_to_its_mean() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    history = History(network)
    before = [weight.detach().clone() for weight in network.parameters()]
    with torch.no_grad():
        for weight in network.parameters():
            weight += 1
    history.penalty().backward()
    for weight, old in zip(network.parameters(), before, strict=True):
        torch.testing.assert_close(weight.grad, 2 * (weight.detach() - old))


def test_it_damps_the_rotation_of_a_bilinear_game() -> None:
    # Of V(x, y) = xy, whose simultaneous gradient steps spiral outwards from (1, 1); the pull to the mean turns them.
    distances = []
    for strength in (0.0, 1.0):
        place = nn.Linear(2, 1, bias=False)
        nn.init.ones_(place.weight)
        history = History(place)
        optimizer = torch.optim.SGD(place.parameters(), lr=0.1)
        for _ in range(80):
            x, y = place.weight[0]
            optimizer.zero_grad()
            (x * y.detach() - y * x.detach() + strength * history.penalty()).backward()
            optimizer.step()
            history.update()
        distances.append(float(place.weight.detach().norm()))
    # Each step multiplies the distance by (1 + 0.1²)^½.
    assert distances[0] == pytest.approx(2**0.5 * 1.01**40, rel=1e-3)
    assert distances[1] < 1


def test_the_history_is_state_and_the_network_is_not_a_part_of_it() -> None:
    torch.manual_seed(0)
    network = nn.Linear(2, 2)
    history = History(network)
    assert list(history.parameters()) == []
    with torch.no_grad():
        network.weight.zero_()
    history.update()
    other = History(network)
    other.load_state_dict(history.state_dict())
    assert float(other.penalty().detach()) == float(history.penalty().detach()) > 0
