"""A pool of old fakes: what it hands out was made before, and a resumed run draws what it would have drawn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from saddlepoint.errors import GameError
from saddlepoint.layers.replay import Replay

Rule = Callable[[Replay, Tensor], Tensor]
RULES = {"exchange": Replay.exchange, "mix": Replay.mix}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def batch(number: int, count: int = 6) -> Tensor:
    """Fakes that tell when they were made: 100 times the batch's number plus their own."""
    return (100.0 * number + torch.arange(count)).view(-1, 1)


def played(pool: Replay, rule: Rule, numbers: range) -> list[Tensor]:
    """What the rule gave for each batch; each is seeded by its number, as the loop seeds a step."""
    given = []
    for number in numbers:
        torch.manual_seed(number)
        given.append(rule(pool, batch(number)))
    return given


def test_while_it_fills_up_exchange_gives_back_what_it_takes() -> None:
    pool = Replay(12, (1,))
    for number in range(2):
        assert torch.equal(pool.exchange(batch(number)), batch(number))
    assert torch.equal(pool.samples, torch.cat([batch(0), batch(1)]))
    assert int(pool.filled) == 12


def test_exchange_swaps_half_of_the_fakes_and_loses_none() -> None:
    pool, old_ones = Replay(12, (1,)), 0
    played(pool, Replay.exchange, range(2))
    for number in range(2, 202):
        before = pool.samples.clone()
        (given,) = played(pool, Replay.exchange, range(number, number + 1))
        old_ones += int((given < 100 * number).sum())
        coming, leaving = torch.cat([before, batch(number)]), torch.cat([pool.samples, given])
        assert torch.equal(coming.sort(0).values, leaving.sort(0).values)
        # A fake that is not swapped stays where it is in the batch.
        assert ((given < 100 * number) | (given == batch(number))).all()
    # 1200 draws of probability 1/2: three standard errors are 0.043.
    assert old_ones / 1200 == pytest.approx(0.5, abs=0.043)


def test_mix_gives_a_new_half_and_an_old_half() -> None:
    pool = Replay(8, (1,))
    given = played(pool, Replay.mix, range(30))
    assert torch.equal(given[0], batch(0))
    for number, fakes in enumerate(given[1:], start=1):
        assert torch.equal(fakes[:3], batch(number)[3:])
        assert (fakes[3:] < 100 * number).all()
    # The pool took in the new halves and nothing else, except for the very first batch.
    kept = pool.samples.flatten()
    assert len(kept.unique()) == 8
    assert (kept % 100 >= 3).all()


@every_rule
def test_a_half_filled_pool_is_resumed_bit_by_bit(rule: Rule) -> None:
    whole, first, second = (Replay(15, (1,)) for _ in range(3))
    expected = played(whole, rule, range(8))
    played(first, rule, range(2))
    assert 0 < int(first.filled) < 15
    second.load_state_dict(first.state_dict())
    found = played(second, rule, range(2, 8))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(found, expected[2:], strict=True))
    assert torch.equal(second.samples, whole.samples)


@every_rule
@pytest.mark.parametrize("capacity", [1, 4, 6, 7])
def test_a_batch_may_be_larger_than_the_pool(rule: Rule, capacity: int) -> None:
    pool = Replay(capacity, (1,))
    for given in played(pool, rule, range(6)):
        assert given.shape == (6, 1)
    assert int(pool.filled) == capacity
    assert (pool.samples <= 505).all()


@every_rule
def test_pictures_come_back_detached(rule: Rule) -> None:
    pool = Replay(4, (3, 2, 2))
    fakes = torch.randn(4, 3, 2, 2, requires_grad=True)
    for _ in range(3):
        given = rule(pool, fakes * 2)
        assert given.shape == (4, 3, 2, 2)
        assert not given.requires_grad
    assert rule(pool, fakes.bfloat16()).dtype == torch.float32


@every_rule
def test_other_shapes_are_refused(rule: Rule) -> None:
    with pytest.raises(GameError, match=r"fakes of shape \(3,\) do not fit a pool of \(2,\)"):
        rule(Replay(4, (2,)), torch.randn(2, 3))
