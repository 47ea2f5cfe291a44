"""The word for it in Python: evaluate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..abilities import Translates
from ..data.cache import default_folder
from ..data.images import Images
from ..data.scan import Watch
from ..errors import UsageError
from ..metrics.resize import Rule
from ..plan import Plan
from ..session import Stopper
from ..trained import Trained, load
from .evaluate import Evaluation
from .evaluate import evaluate as measure
from .families import choose
from .networks import network as find_network
from .sight import Sight
from .subject import is_run, of_data, of_run
from .translation import evaluate as measure_translator
from .translation import of_translator

__all__ = ["Evaluation", "evaluate"]


def evaluate(
    subject: str | Path | np.ndarray | Images | Trained,
    against: str | Path | np.ndarray | Images | None = None,
    *,
    metrics: Sequence[str] | None = None,
    count: int = 5000,
    network: str = "lite0",
    side: int | None = None,
    rule: Rule = "clean",
    weights: Path | None = None,
    size: int | None = None,
    seed: int = 0,
    best: bool = False,
    by_class: bool = False,
    device: str = "auto",
    out: str | Path = "runs",
    recipe_file: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Measures a run against its data, or pictures against pictures.

    Args:
        subject: a run's path, name or `last`, a loaded run, or pictures as `train` takes them.
        against: data to compare with; by default a run's own: what it was trained on and, beside it, what it held out.
        metrics: names of `evaluation.families.FAMILIES`; by default all that are not slow and can be measured. Of a
            game that translates see `evaluation.translation.evaluate`.
        count: samples, and as many of the data where there are so many.
        network: that looks at pictures: `lite0`, `inception`, `vgg16`, `digits`, `pixels`.
        side: pixels that it looks at pictures with, instead of its own number.
        rule: of resizing: `clean`, `tensorflow` or `pytorch`.
        weights: a file for networks whose weights come in no package.
        size: of pictures that are compared with pictures of other sizes.
        seed: of the samples and of all else that is drawn.
        best: of a run the model that scored best while it trained, instead of the newest.
        by_class: measure each class by itself as well, where both sides have classes.
        device: where the generator and the network compute.
        out: folder of runs.
        recipe_file: the recipe, if it is a file of its author's own and you trust it.
        progress: told (done, total) while pictures are looked at.

    Raises:
        SaddleError: each kind with what, where and how to fix.
    """
    if count < 2:
        raise UsageError(f"{count} samples cannot be measured", where="-n", fix="thousands; at least 2")
    where = Plan(device).resolve().torch_device
    with Stopper().listening() as stopper:
        watch = Watch(stopper, progress)
        if isinstance(subject, (str, Path)) and is_run(str(subject), Path(out)):
            subject = load(subject, best=best, device=device, out=out, recipe_file=recipe_file)
        elif best:
            raise UsageError("only a run that is named has a best model", where="--best", fix="leave it out")
        seer = partial(find_network, network, device=where, rule=rule, side=side, weights=weights)
        sight = partial(Sight, folder=default_folder() / "features", progress=progress, should_stop=stopper)
        if isinstance(subject, Trained) and isinstance(subject.game, Translates):
            asked = of_translator(subject, against, count, size=size, by_class=by_class, seed=seed, watch=watch)
            return measure_translator(asked, metrics, lambda: sight(seer()), watch)
        if isinstance(subject, Trained):
            found = of_run(subject, against, count, size=size, seed=seed, watch=watch)
        else:
            found = of_data(subject, against, count, size=size, seed=seed, watch=watch)
        chosen = choose(metrics, points=found.points, labels=found.labeled)
        looking = sight(None if found.points else seer())
        return measure(found, chosen, looking, seed=seed, strict=metrics is not None, by_class=by_class)
