"""The scores by name. A family is one measurement, and gives one score or several that belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

import torch
from torch import Tensor

from ..abilities import decode
from ..errors import UsageError
from ..latent.walk import slerp
from ..metrics.bootstrap import frechet_interval
from ..metrics.distances import sliced_wasserstein
from ..metrics.frechet import frechet_distance, frechet_infinity
from ..metrics.inception import inception_score
from ..metrics.kernel import kernel_distance
from ..metrics.memory import authenticity, memorization
from ..metrics.modes import modes, perfect
from ..metrics.patches import patch_distance
from ..metrics.perceptual import path_length, perceptual_distance
from ..metrics.precision import precision_recall
from ..metrics.ssim import diversity
from ..metrics.two_sample import two_sample
from . import labeled
from .comparison import HALF, HIGHER, LOWER, Comparison, Score
from .sides import Made, Set

SPLITS = 10
PATHS = 1000
ENOUGH = 20
"""Fewest held-out pictures and samples that a test of memorization is made with."""

Measure = Callable[[Comparison], Iterator[Score]]


@dataclass(frozen=True)
class Family:
    """One measurement.

    Attributes:
        name: as it is typed.
        what: it tells, in a few words.
        measure: makes its scores.
        pictures: whether pictures can be measured.
        points: whether points can.
        alone: whether it looks at the samples alone, so that once is enough.
        slow: whether it is made only when asked for.
        labels: whether it needs classes on both sides, and is left out without a word where there are none.
        by_class: whether it can be asked of each class by itself.
    """

    name: str
    what: str
    measure: Measure
    pictures: bool = True
    points: bool = True
    alone: bool = False
    slow: bool = False
    labels: bool = False
    by_class: bool = False


def _frechet(c: Comparison) -> Iterator[Score]:
    fake = c.fake.features
    found = frechet_distance(c.real.statistics, c.fake.statistics)
    # Without full rank the interval would be of a number that means little itself.
    wanted = c.intervals and not found.rank_deficient
    near = frechet_interval(c.real.statistics, fake, seed=c.seed) if wanted else None
    low, high = (near.low, near.high) if near else (None, None)
    yield c.score("fd", found.distance, LOWER, low=low, high=high, note=found.warning or "")


def _infinity(c: Comparison) -> Iterator[Score]:
    found = frechet_infinity(c.real.statistics, c.fake.features, seed=c.seed)
    note = f"by a line through {len(found.counts)} sets of {found.counts[0]:,} to {found.counts[-1]:,} samples"
    yield c.score("fd_infinity", found.distance, LOWER, note=note)


def _kernel(c: Comparison) -> Iterator[Score]:
    found = kernel_distance(c.real.features, c.fake.features)
    low, high = found.interval()
    yield c.score("kd", found.distance, LOWER, low=low, high=high)


def _inception(c: Comparison) -> Iterator[Score]:
    logits, real = c.fake.logits, c.real.logits
    if logits is None or real is None:
        raise UsageError(f"{c.sight.name} has no classes, so no inception score", fix="another --network, or --metrics")
    splits = min(SPLITS, len(logits))
    found, best = inception_score(logits, splits), inception_score(real, min(SPLITS, len(real)))
    yield c.score("is", found.mean, HIGHER, alone=True, data=best.mean, note=f"± {found.std:.3g} over {splits} splits")


def _precision(c: Comparison) -> Iterator[Score]:
    found = precision_recall(c.real.features, c.fake.features)
    yield c.share("precision", found.balls > 0)
    yield c.share("recall", found.recalled)
    yield c.share("density", found.balls.double() / found.k)
    yield c.share("coverage", found.covered)


def _patches(c: Comparison) -> Iterator[Score]:
    count = min(len(c.fake), len(c.real))
    found = patch_distance(c.images(c.real, count), c.images(c.fake, count), seed=c.seed)
    yield c.plain("swd", found.mean, LOWER, generated=count, real=count, note="times 1,000, the mean over levels")
    for height, distance in found.levels.items():
        yield c.plain(f"swd_{height}", distance, LOWER, generated=count, real=count)


def _diversity(c: Comparison) -> Iterator[Score]:
    found, best = (diversity(torch.cat(list(c.images(side))), seed=c.seed) for side in (c.fake, c.real))
    note = f"{found.scales} scales"
    yield c.plain("ms_ssim", found.mean, "as the data's", alone=True, data=best.mean, note=note)


def _memory(c: Comparison) -> Iterator[Score]:
    fake, data = c.fake.features, c.real.features
    if c.training is None:
        note = "around 0.4 for new samples of the data's own law, 0 for copies"
        yield c.share(
            "authenticity", authenticity(data, fake, nearest=c.nearest).authentic, better="near 0.4", note=note
        )
        return
    if min(len(data), len(fake)) < ENOUGH:
        raise UsageError(f"{len(data)} held-out pictures are too few to test memorization", fix="a larger --holdout")
    test = memorization(c.training.features, data, fake)
    note = f"deviations from 0; far below it the samples are copies (p = {test.p_value:.3g})"
    yield c.score("memorization", test.score, "near 0", note=note)


def _two_sample(c: Comparison) -> Iterator[Score]:
    count = min(len(c.fake), len(c.real))
    found = two_sample(c.real.features[:count], c.fake.features[:count], seed=c.seed)
    note = f"of real ones {found.real:.3g}, of samples {found.fake:.3g}; p = {found.p_value:.3g}"
    yield c.score("nearest_neighbor", found.accuracy, HALF, generated=count, real=count, note=note)


def _path(c: Comparison) -> Iterator[Score]:
    made = c.fake.side if isinstance(c.fake.side, Made) else None
    game = made.decodes if made else None
    if made is None or game is None:
        raise UsageError(f"{c.fake.side.name} has no latents to walk between", where="--metrics", fix="leave out ppl")
    device, size = next(made.game.parameters()).device, game.latent

    def sample(count: int, generator: torch.Generator) -> Tensor:
        return torch.randn(count, size, generator=generator).to(device)

    def make(latents: Tensor) -> Tensor:
        # Both ends of a path lie in one half each, and are of one class.
        labels = torch.arange(len(latents) // 2).repeat(2) % len(made.classes) if made.classes else None
        return decode(game, latents, labels).float()

    distance = perceptual_distance(device=device)
    found = path_length(make, sample, slerp, distance, count=PATHS, seed=c.seed)
    reach = 1.96 * found.error
    low, high = found.mean - reach, found.mean + reach
    yield c.plain("ppl_vgg16", found.mean, LOWER, alone=True, low=low, high=high, generated=PATHS)


def _modes(c: Comparison) -> Iterator[Score]:
    toy = getattr(c.real.side.examples, "toy", None) if isinstance(c.real.side, Set) else None
    if toy is None or toy.centers is None:
        return
    found = modes(c.fake.features, toy.centers, toy.std, toy.weights)
    best = perfect(toy.centers, toy.std, toy.weights, samples=len(c.fake))
    yield c.plain("modes", found.count, HIGHER, data=best.count, note=f"of {len(toy.centers)}")
    yield c.plain("high_quality", found.high_quality, HIGHER, data=best.high_quality)
    yield c.plain("reverse_kl", found.reverse_kl, LOWER, data=best.reverse_kl)


def _sliced(c: Comparison) -> Iterator[Score]:
    yield c.plain("sliced_wasserstein", sliced_wasserstein(c.real.features, c.fake.features), LOWER)


FAMILIES = {
    family.name: family
    for family in (
        Family("fd", "Fréchet distance of features", _frechet, by_class=True),
        Family("fd_infinity", "the same, extrapolated to infinitely many samples", _infinity, slow=True),
        Family("kd", "kernel distance of features, without bias", _kernel, by_class=True),
        Family("is", "inception score: sure and varied classes", _inception, points=False, alone=True),
        Family("precision", "precision, recall, density and coverage", _precision, by_class=True),
        Family("swd", "sliced Wasserstein distance of patches, by scale", _patches, points=False),
        Family("ms_ssim", "how alike two samples are", _diversity, points=False, alone=True),
        Family("memory", "copies of the training data", _memory),
        Family("nearest_neighbor", "can the nearest neighbor tell samples from data?", _two_sample),
        Family("accuracy", "are samples of the class that was asked for?", labeled.accuracy, labels=True),
        Family("classes", "GAN-train and GAN-test: what labeled samples teach", labeled.lessons, slow=True),
        Family("ppl", "perceptual path length", _path, points=False, alone=True, slow=True),
        Family("modes", "modes found, high-quality share, reverse KL", _modes, pictures=False),
        Family("sliced", "sliced Wasserstein distance of points", _sliced, pictures=False),
    )
}


def choose(names: Iterable[str] | None, *, points: bool, labels: bool = False) -> list[Family]:
    """The families of these names; without names all that are not slow.

    Args:
        names: as typed.
        points: whether points are measured, and no pictures.
        labels: whether both sides have classes.

    Raises:
        UsageError: an unknown name, or one that does not fit points or pictures.
    """
    fitting = {name: family for name, family in FAMILIES.items() if (family.points if points else family.pictures)}
    if names is None:
        return [family for family in fitting.values() if not family.slow and (labels or not family.labels)]
    chosen = []
    for name in dict.fromkeys(names):
        if name not in fitting:
            near = get_close_matches(name, fitting, 1)
            kind = "points" if points else "pictures"
            what = f"{name} is not measured of {kind}" if name in FAMILIES else f"no score is called {name!r}"
            fix = f"did you mean {near[0]}?" if near else f"one of {', '.join(fitting)}"
            raise UsageError(what, where="--metrics", fix=fix)
        chosen.append(fitting[name])
    return chosen
