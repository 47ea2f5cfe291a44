"""saddlepoint: generative adversarial networks as games.

    import saddlepoint
    run = saddlepoint.train("dcgan", "photos/", steps=2000)
    run.sample(16, seed=0)
    saddlepoint.load("last").walk()

Names are imported when they are first used, so that `import saddlepoint` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import evaluate, resume, tradeoff, train
    from .errors import SaddleError
    from .game import Game, Player, Stage, Turn
    from .plan import Plan
    from .recipe import Options
    from .trained import Trained, load

__all__ = [
    "Game",
    "Options",
    "Plan",
    "Player",
    "SaddleError",
    "Stage",
    "Trained",
    "Turn",
    "evaluate",
    "load",
    "resume",
    "tradeoff",
    "train",
]

_HOMES = {
    "Game": "game",
    "Options": "recipe",
    "Plan": "plan",
    "Player": "game",
    "SaddleError": "errors",
    "Stage": "game",
    "Trained": "trained",
    "Turn": "game",
    "evaluate": "api",
    "load": "trained",
    "resume": "api",
    "tradeoff": "api",
    "train": "api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
