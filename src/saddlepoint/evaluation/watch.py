"""Scores while a run trains, and the best of its models kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..data.cache import default_folder
from ..data.images import Images
from ..data.points import Points
from ..data.source import Source
from ..errors import Stopped
from ..game import Stage
from ..observers import Moment
from ..run import Run
from ..session import Session
from .comparison import LOWER, Score, View
from .evaluate import compared, measured, views
from .families import Family, choose
from .networks import network
from .sides import Made
from .sight import Sight
from .subject import HELD_OUT, Subject, sides_of

BEST = "best"
"""What run.json calls the best model so far."""


@dataclass(frozen=True)
class Watching:
    """How a run is measured while it trains.

    Attributes:
        every: steps between two measurements; 0 measures nothing.
        metrics: names of families; the first score of the first one decides which model is the best.
        count: samples, and pictures of the data.
        network: that looks at them.
        side: pixels that it looks at them with; None for its own number.
    """

    every: int = 0
    metrics: tuple[str, ...] = ("fd",)
    count: int = 2000
    network: str = "lite0"
    side: int | None = None

    def facts(self) -> dict[str, Any]:
        """Itself as plain values."""
        return asdict(self)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Watching:
        """What `facts` gave; nothing, of a run that is older than this."""
        return cls(**{**facts, "metrics": tuple(facts.get("metrics", cls.metrics))})


def scoring(session: Session, watching: Watching) -> list[Scoring]:
    """The observer that measures a session; none where nothing is to be measured.

    Raises:
        UsageError, UnavailableError, …: an unknown score or network, or one that is not at hand.
    """
    if not watching.every:
        return []
    points = session.source.kind == "plane"
    where = session.plan.torch_device
    seer = None if points else network(watching.network, device=where, side=watching.side)
    return [
        Scoring(
            session.run,
            session.source,
            watching.every,
            choose(watching.metrics, points=points),
            Sight(seer, default_folder() / "features", should_stop=session.stopper),
            count=watching.count,
            keep=lambda moment: session.write_model(session.run.best, moment),
            seed=session.plan.seed,
        )
    ]


class Scoring:
    """Measures the averaged networks, writes the scores to the log, and has the best model kept.

    The first measurement is made before the first step, so that what cannot be measured is known at once.

    Args:
        run: whose log; it knows the best score so far.
        source: the data.
        every: steps between two measurements.
        families: what is measured.
        sight: what looks.
        count: samples, and pictures of the data.
        keep: writes the model of a moment.
        seed: of the samples.
    """

    def __init__(
        self,
        run: Run,
        source: Source,
        every: int,
        families: Sequence[Family],
        sight: Sight,
        *,
        count: int,
        keep: Callable[[Moment], None],
        seed: int = 0,
    ) -> None:
        self.run, self.source, self.every, self.families = run, source, every, families
        self.sight, self.count, self.keep, self.seed = sight, count, keep, seed
        self._seen: Images | Points | None = None
        self._views: dict[str, View] = {}

    def __call__(self, moment: Moment) -> None:
        # A run that is stopped shows every observer its last step; there is no time for this one then.
        if moment.done % self.every and not moment.ended:
            return
        try:
            scores = self.measure(moment)
        except Stopped:  # the loop hears of it too, and saves
            return
        self.run.append({"step": moment.step, "stage": moment.stage, "scores": named(scores)})
        if moment.done and better(scores[0], self.run.facts().get(BEST)):
            self.keep(moment)
            self.run.note(**{BEST: {"step": moment.step, "score": scores[0].name, "value": scores[0].value}})

    def measure(self, moment: Moment) -> list[Score]:
        """The scores of a moment, of each family those against the training data first."""
        # In full precision, whatever the plan's: scores must be those that the model gets when it is measured later.
        with moment.match.averages.applied():
            fake = Made(moment.game, self.count, name=self.run.name, seed=self.seed)
            real = self._real(moment.match.stage)
            sides = {against: view.side for against, view in real.items()}
            comparisons = compared(Subject(fake, sides, {}), self.sight, self.seed, intervals=False, known=real)
            return [score for family in self.families for score in measured(family, comparisons)]

    def _real(self, stage: Stage) -> dict[str, View]:
        """The data of a stage, kept as they were seen: their statistics cost as much as those of the samples.

        Stages of different batches may share their data.
        """
        examples: Images | Points = stage.data.examples  # type: ignore[attr-defined]
        if self._seen is not examples:
            real = sides_of(self.source, examples, self.count, seed=self.seed)
            self._seen, self._views = examples, views(real, self.sight)
        return self._views


def named(scores: Sequence[Score]) -> dict[str, float]:
    """Values by name, as the log has them."""
    return {f"{score.name}, {HELD_OUT}" if score.against == HELD_OUT else score.name: score.value for score in scores}


def better(score: Score, best: Mapping[str, Any] | None) -> bool:
    """Whether a score beats the best so far; one of another name beats nothing and is beaten by all."""
    if best is None or best["score"] != score.name:
        return True
    before: float = best["value"]
    return score.value < before if score.better == LOWER else score.value > before
