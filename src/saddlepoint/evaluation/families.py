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
from ..metrics.classify import gan_test, gan_train, probe
from ..metrics.distances import sliced_wasserstein
from ..metrics.frechet import Statistics, frechet_distance, frechet_infinity
from ..metrics.inception import inception_score
from ..metrics.kernel import kernel_distance
from ..metrics.memory import authenticity, memorization
from ..metrics.modes import modes, perfect
from ..metrics.patches import patch_distance
from ..metrics.perceptual import path_length, perceptual_distance
from ..metrics.precision import precision_recall
from ..metrics.ssim import diversity
from ..metrics.two_sample import two_sample
from .comparison import HALF, HIGHER, LOWER, Comparison, Score
from .sides import Made, Set, pieces

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
    """

    name: str
    what: str
    measure: Measure
    pictures: bool = True
    points: bool = True
    alone: bool = False
    slow: bool = False


def _frechet(c: Comparison) -> Iterator[Score]:
    fake = c.fake_seen.features
    found = frechet_distance(c.reference, Statistics.of(fake))
    # Without full rank the interval would be of a number that means little itself.
    wanted = c.intervals and not found.rank_deficient
    near = frechet_interval(c.reference, fake, seed=c.seed) if wanted else None
    low, high = (near.low, near.high) if near else (None, None)
    yield c.score("fd", found.distance, LOWER, low=low, high=high, note=found.warning or "")


def _infinity(c: Comparison) -> Iterator[Score]:
    found = frechet_infinity(c.reference, c.fake_seen.features, seed=c.seed)
    note = f"by a line through {len(found.counts)} sets of {found.counts[0]:,} to {found.counts[-1]:,} samples"
    yield c.score("fd_infinity", found.distance, LOWER, note=note)


def _kernel(c: Comparison) -> Iterator[Score]:
    found = kernel_distance(c.real_seen.features, c.fake_seen.features)
    low, high = found.interval()
    yield c.score("kd", found.distance, LOWER, low=low, high=high)


def _inception(c: Comparison) -> Iterator[Score]:
    logits, real = c.fake_seen.logits, c.real_seen.logits
    if logits is None or real is None:
        raise UsageError(f"{c.sight.name} has no classes, so no inception score", fix="another --network, or --metrics")
    splits = min(SPLITS, len(logits))
    found, best = inception_score(logits, splits), inception_score(real, min(SPLITS, len(real)))
    yield c.score("is", found.mean, HIGHER, alone=True, data=best.mean, note=f"± {found.std:.3g} over {splits} splits")


def _precision(c: Comparison) -> Iterator[Score]:
    found = precision_recall(c.real_seen.features, c.fake_seen.features)
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
    fake, data, train = c.fake_seen.features, c.real_seen.features, c.training_features
    if train is None:
        note = "around 0.4 for new samples of the data's own law, 0 for copies"
        yield c.share("authenticity", authenticity(data, fake).authentic, better="near 0.4", note=note)
        return
    if min(len(data), len(fake)) < ENOUGH:
        raise UsageError(f"{len(data)} held-out pictures are too few to test memorization", fix="a larger --holdout")
    found = memorization(train, data, fake)
    note = f"deviations from 0; far below it the samples are copies (p = {found.p_value:.3g})"
    yield c.score("memorization", found.score, "near 0", note=note)


def _two_sample(c: Comparison) -> Iterator[Score]:
    count = min(len(c.fake), len(c.real))
    found = two_sample(c.real_seen.features[:count], c.fake_seen.features[:count], seed=c.seed)
    note = f"of real ones {found.real:.3g}, of samples {found.fake:.3g}; p = {found.p_value:.3g}"
    yield c.score("nearest_neighbor", found.accuracy, HALF, generated=count, real=count, note=note)


def _path(c: Comparison) -> Iterator[Score]:
    made = c.fake if isinstance(c.fake, Made) else None
    game = made.decodes if made else None
    if made is None or game is None:
        raise UsageError(f"{c.fake.name} has no latents to walk between", where="--metrics", fix="leave out ppl")
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


def _classes(c: Comparison) -> Iterator[Score]:
    sides = [[batch.label for batch in pieces(side)] for side in (c.fake, c.real)]
    labels = [torch.cat([part for part in side if part is not None]) for side in sides if side[0] is not None]
    if len(labels) < 2:
        raise UsageError("gan_train and gan_test need labels on both sides", where="--metrics", fix="leave out classes")
    fake, real = c.fake_seen.features, c.real_seen.features
    half = len(real) // 2  # the data's own: taught by one half, asked about the other
    best = gan_train(probe, real[:half], labels[1][:half], real[half:], labels[1][half:]).overall
    for name, test in (("gan_train", gan_train), ("gan_test", gan_test)):
        yield c.score(name, test(probe, fake, labels[0], real, labels[1]).overall, HIGHER, data=best)


def _modes(c: Comparison) -> Iterator[Score]:
    toy = getattr(c.real.examples, "toy", None) if isinstance(c.real, Set) else None
    if toy is None or toy.centers is None:
        return
    found = modes(c.fake_seen.features, toy.centers, toy.std, toy.weights)
    best = perfect(toy.centers, toy.std, toy.weights, samples=len(c.fake))
    yield c.plain("modes", found.count, HIGHER, data=best.count, note=f"of {len(toy.centers)}")
    yield c.plain("high_quality", found.high_quality, HIGHER, data=best.high_quality)
    yield c.plain("reverse_kl", found.reverse_kl, LOWER, data=best.reverse_kl)


def _sliced(c: Comparison) -> Iterator[Score]:
    yield c.plain("sliced_wasserstein", sliced_wasserstein(c.real_seen.features, c.fake_seen.features), LOWER)


FAMILIES = {
    family.name: family
    for family in (
        Family("fd", "Fréchet distance of features", _frechet),
        Family("fd_infinity", "the same, extrapolated to infinitely many samples", _infinity, slow=True),
        Family("kd", "kernel distance of features, without bias", _kernel),
        Family("is", "inception score: sure and varied classes", _inception, points=False, alone=True),
        Family("precision", "precision, recall, density and coverage", _precision),
        Family("swd", "sliced Wasserstein distance of patches, by scale", _patches, points=False),
        Family("ms_ssim", "how alike two samples are", _diversity, points=False, alone=True),
        Family("memory", "copies of the training data", _memory),
        Family("nearest_neighbor", "can the nearest neighbor tell samples from data?", _two_sample),
        Family("classes", "GAN-train and GAN-test, for labels on both sides", _classes, slow=True),
        Family("ppl", "perceptual path length", _path, points=False, alone=True, slow=True),
        Family("modes", "modes found, high-quality share, reverse KL", _modes, pictures=False),
        Family("sliced", "sliced Wasserstein distance of points", _sliced, pictures=False),
    )
}


def choose(names: Iterable[str] | None, *, points: bool) -> list[Family]:
    """The families of these names; without names all that are not slow.

    Raises:
        UsageError: an unknown name, or one that does not fit points or pictures.
    """
    fitting = {name: family for name, family in FAMILIES.items() if (family.points if points else family.pictures)}
    if names is None:
        return [family for family in fitting.values() if not family.slow]
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
