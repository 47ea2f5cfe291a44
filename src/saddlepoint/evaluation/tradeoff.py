"""What truncating the latents costs and gains: fidelity against variety, threshold by threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..abilities import Decodes
from ..data.cache import default_folder
from ..data.images import Images
from ..data.scan import Watch
from ..errors import UsageError
from ..latent.tours import sweep
from ..latent.truncate import THRESHOLDS, truncate
from ..metrics.resize import Rule
from ..pictures.tradeoff import write_tradeoff
from ..plan import Plan
from ..session import Stopper
from ..trained import Trained, load
from .comparison import Score
from .evaluate import compared, described, measured, views
from .families import choose
from .networks import network as find_network
from .sides import Made
from .sight import Sight
from .subject import Subject, of_run

METRICS = ("precision", "fd")
COUNT = 2000
SHEET, FILM = "sheet.png", "film.webp"
ROWS, STEPS = 8, 72
"""Latents on the sheet, and frames of the film on either way."""


@dataclass(frozen=True)
class Tradeoff:
    """What was measured.

    Attributes:
        trained: the run.
        against: what it was compared with.
        scores: of every threshold, from the one that cuts nothing off, None, to the smallest.
        how: everything that the numbers depend on, as plain values.
    """

    trained: Trained
    against: str
    scores: dict[float | None, tuple[Score, ...]]
    how: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        """All but the run itself, as plain values."""
        points = [
            {"truncation": threshold, "scores": list(map(asdict, scores))} for threshold, scores in self.scores.items()
        ]
        return {"what": self.trained.run.name, "against": self.against, "points": points, "how": self.how}

    def write(self, folder: str | Path, *, fps: float = 24, seed: int = 0) -> list[Path]:
        """Writes the curve, the record, the same latents at every threshold as a sheet, and as a film.

        Args:
            folder: where to, made if need be.
            fps: frames per second of the film.
            seed: of the latents that are shown.
        """
        assert isinstance(self.trained.game, Decodes), "it was measured"
        latents = torch.randn(ROWS, self.trained.game.latent, generator=torch.Generator().manual_seed(seed))
        known = range(len(self.trained.classes))
        labels = self.trained.labels(known, ROWS) if known else None
        folder = Path(folder)
        written = write_tradeoff(folder, self.facts())
        for name in (SHEET, FILM):
            tour = sweep(latents, labels, list(self.scores), STEPS)
            written.append(self.trained.show(tour, folder / name, fps=fps))
        return written


def tradeoff(
    run: str | Path | Trained,
    against: str | Path | np.ndarray | Images | None = None,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    count: int = COUNT,
    network: str = "lite0",
    side: int | None = None,
    rule: Rule = "clean",
    weights: Path | None = None,
    seed: int = 0,
    best: bool = False,
    device: str = "auto",
    out: str | Path = "runs",
    recipe_file: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tradeoff:
    """Measures precision against recall, and the Fréchet distance, of a run at several truncations.

    Args:
        run: a run's path, name or `last`, or a loaded run.
        against: data to compare with; by default what it was trained on.
        thresholds: of the truncation, see `latent.truncate`; none at all is measured beside them.
        count: samples for each, and as many of the data.
        network, side, rule, weights, seed, best, device, out, recipe_file, progress: as for `evaluate`.

    Raises:
        UsageError: a threshold out of range, or a game without latents.
        SaddleError: as for `evaluate`.
    """
    chosen = sorted(set(thresholds), reverse=True)
    for threshold in chosen:
        truncate(torch.zeros(1), threshold)
    if not chosen:
        raise UsageError("no threshold was asked for", where="--thresholds", fix="--thresholds 1,0.5")
    where = Plan(device).resolve().torch_device
    with Stopper().listening() as stopper:
        if not isinstance(run, Trained):
            run = load(run, best=best, device=device, out=out, recipe_file=recipe_file)
        subject = of_run(run, against, count, size=None, seed=seed, watch=Watch(stopper, progress))
        name = run.run.name
        if not isinstance(subject.fake, Made) or subject.fake.decodes is None:
            raise UsageError(f"{name} has no latents to truncate", where="RUN")
        seer = None if subject.points else find_network(network, device=where, rule=rule, side=side, weights=weights)
        sight = Sight(seer, default_folder() / "features", progress, stopper)
        side_of = dict(list(subject.real.items())[:1])
        real, families = views(side_of, sight), choose(METRICS, points=subject.points)
        scores = {}
        for at in (None, *chosen):
            made = Made(run.game, count, name=name, seed=seed, truncation=at)
            found = compared(Subject(made, side_of, {}), sight, seed, intervals=False, known=real)
            scores[at] = tuple(score for family in families for score in measured(family, found))
        return Tradeoff(run, next(iter(side_of)), scores, described(subject, sight, seed))
