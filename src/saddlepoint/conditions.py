"""What can be wrong with a training: how it shows, in what words it is told, and what the literature advises.

All is relative, to the data, to the run's own beginning, to chance: the scores of a Wasserstein critic have no scale.
Remedies are those of Goodfellow 2016, "NIPS 2016 tutorial", Arjovsky and Bottou 2017, "Towards principled methods",
Salimans et al. 2016, "Improved techniques", Mescheder et al. 2018, "Which training methods", and the papers of the
recipes they name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_EARLY = 5  # looks that a run's own beginning is judged by
_TURNS = 4  # looks over which a swing is seen


@dataclass(frozen=True)
class Look:
    """What was measured at one step; None is what could not be.

    Attributes:
        step: finished steps.
        finite: whether all samples and scores were numbers.
        slope: how steep the generator's cost is: the norm of its gradient as a part of that of its mean score.
        weights: norm of all parameters.
        separation: chance that a real sample scores above a fake one, 0 … 1.
        scale: deviation of the scores of real and fake samples together.
        diversity, coverage, strays, distance, spread, place, variety: see `metrics.checkup.Sight`.
        nearest: likewise, and only where the samples were compared with all of the training data.
    """

    step: int
    finite: bool = True
    slope: float | None = None
    weights: float | None = None
    separation: float | None = None
    scale: float | None = None
    diversity: float | None = None
    coverage: float | None = None
    strays: float | None = None
    distance: float | None = None
    nearest: float | None = None
    spread: float | None = None
    place: tuple[float, ...] | None = None
    variety: float | None = None


Sign = Callable[[Sequence[Look]], bool]
"""Whether the last of the looks so far shows a symptom."""


@dataclass(frozen=True)
class Condition:
    """Something that can be wrong with a training.

    Attributes:
        name: as it stands in a log.
        sign: what shows it.
        symptom: what is seen, for a person; `{diversity:.2f}` and the like become medians.
        remedies: what the literature advises, in the order in which to try.
        chronic: told only when it has lasted, and while the run gets no better.
        progress: what has to get better for that.
        unless: names of conditions that say more: while a run has one of them, this one is not told.
    """

    name: str
    sign: Sign
    symptom: str
    remedies: tuple[str, ...]
    chronic: bool = True
    progress: tuple[str, ...] = ("distance", "coverage", "diversity")
    unless: tuple[str, ...] = ()

    def told(self, looks: Sequence[Look]) -> str:
        """What these looks show and what helps, in whole sentences."""
        names = ("diversity", "variety", "coverage", "separation", "slope", "nearest")
        *others, last = self.remedies
        seen = self.symptom.format(**{name: typical(looks, name) for name in names})
        return f"{seen} What helps: {'; '.join(others)}; or {last}."


def typical(looks: Sequence[Look], name: str) -> float:
    """Median of what was measured; NaN, of which every comparison is false, where nothing was."""
    return median([value for look in looks if (value := getattr(look, name)) is not None] or [float("nan")])


def _poor(look: Look) -> bool:
    """Whether samples are far from the data, or leave much of them out."""
    return _above(look.distance, 0.4) or _below(look.coverage, 0.65)


def _collapsed(looks: Sequence[Look]) -> bool:
    return _below(looks[-1].diversity, 0.15)


def _same_in_class(looks: Sequence[Look]) -> bool:
    return _below(looks[-1].variety, 0.25)


def _partial(looks: Sequence[Look]) -> bool:
    return _below(looks[-1].coverage, 0.6)


def _flat(looks: Sequence[Look]) -> bool:
    steepest = max((look.slope for look in looks if look.slope is not None), default=0.0)
    # Flat because every sample pleases a discriminator that has lost is another thing.
    rejected = _above(looks[-1].separation, 0.9) and _poor(looks[-1])
    return rejected and _below(looks[-1].slope, 0.02 * max(steepest, 0.05))


def _won(looks: Sequence[Look]) -> bool:
    return _above(looks[-1].separation, 0.985) and _poor(looks[-1])


def _lost(looks: Sequence[Look]) -> bool:
    return _below(looks[-1].separation, 0.6) and _poor(looks[-1])


def _swings(looks: Sequence[Look]) -> bool:
    """Whether the samples' mean went a long way over the last looks, and not far."""
    places = [look.place for look in looks[-_TURNS - 1 :] if look.place is not None]
    if len(places) <= _TURNS or not _poor(looks[-1]):
        return False
    way = sum(_gap(*pair) for pair in pairwise(places))
    return way > 0.15 * _TURNS and _gap(places[0], places[-1]) < 0.5 * way


def _diverges(looks: Sequence[Look]) -> bool:
    first, last = looks[0], looks[-1]
    heavy = first.weights is not None and _above(last.weights, 10 * first.weights)
    early = [look.scale for look in looks[1 : _EARLY + 1] if look.scale is not None]
    loud = bool(early) and _above(last.scale, max(100.0, 1000 * median(early)))
    return not last.finite or _above(last.spread, 4.0) or heavy or loud


def _memorizes(looks: Sequence[Look]) -> bool:
    last = looks[-1]
    return _below(last.nearest, 0.5) and _above(last.coverage, 0.3)


def _below(value: float | None, bound: float) -> bool:
    return value is not None and value < bound


def _above(value: float | None, bound: float) -> bool:
    return value is not None and value > bound


def _gap(a: Sequence[float], b: Sequence[float]) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5


CONDITIONS = (
    Condition(
        "divergence",
        _diverges,
        "Weights, scores or samples grow without bound, or are no numbers any more.",
        (
            "learning rates ten times smaller",
            "a gradient penalty or spectral normalization, which bound the slope of the discriminator",
            "clipping the gradients, or for a Wasserstein critic its weights",
        ),
        chronic=False,
    ),
    Condition(
        "mode_collapse",
        _collapsed,
        "The samples are nearly all alike: {diversity:.0%} as different from each other as the data.",
        (
            "the Wasserstein loss with a gradient penalty (recipe wgan_gp)",
            "unrolling the discriminator (unrolled)",
            "judging samples in packs (pacgan) or minibatch discrimination",
            "a smaller learning rate and less momentum for the generator",
        ),
        # A single point comes closer to the data by wandering about.
        progress=("coverage", "diversity"),
    ),
    Condition(
        "class_collapse",
        _same_in_class,
        "Samples of one class are nearly all alike: {variety:.0%} as different from each other as the data of a class.",
        (
            "a price for samples of a class that are alike (cdcgan's --seek 0.3)",
            "networks that are told the class at every layer (cdcgan's --networks radford)",
            "classes that only scale and shift features (recipes sngan_projection, sagan, biggan)",
            "a wider generator",
        ),
        progress=("variety",),
        unless=("mode_collapse",),
    ),
    Condition(
        "partial_collapse",
        _partial,
        "The samples leave out a part of the data: they come near only {coverage:.0%} of them.",
        (
            "judging samples in packs (recipe pacgan)",
            "the Wasserstein loss with a gradient penalty (wgan_gp)",
            "unrolling the discriminator (unrolled)",
            "a larger latent",
        ),
        unless=("mode_collapse", "class_collapse"),
    ),
    Condition(
        "vanishing_gradient",
        _flat,
        "The generator's cost is flat ({slope:.1g} of the slope of the scores): the discriminator is so sure that"
        " nothing is left to learn from ({separation:.1%} of the data score above them).",
        (
            "the non-saturating cost in place of minimax",
            "the Wasserstein loss, whose gradient stays (recipe wgan_gp)",
            "noise on what the discriminator sees",
            "fewer steps or a smaller learning rate for the discriminator",
        ),
    ),
    Condition(
        "discriminator_won",
        _won,
        "The discriminator tells {separation:.1%} of the data from the samples, and they get no better.",
        (
            "one-sided label smoothing, or noise on what the discriminator sees",
            "a smaller learning rate for the discriminator than for the generator",
            "a gradient penalty or spectral normalization (recipes wgan_gp, r3gan, sngan)",
            "a smaller discriminator or a larger generator",
        ),
    ),
    Condition(
        "discriminator_lost",
        _lost,
        "The samples are far from the data, yet the discriminator cannot tell: {separation:.0%} of the data score above"
        " them, and guessing gives 50%.",
        (
            "a larger learning rate or more steps for the discriminator (two time scales)",
            "a larger discriminator",
            "a smaller learning rate or fewer steps for the generator",
        ),
    ),
    Condition(
        "oscillation",
        _swings,
        "The samples move again and again, and come no closer to the data.",
        (
            "smaller learning rates, and no momentum (beta1 0)",
            "a gradient penalty at the data (R1, as in recipe r3gan)",
            "different learning rates for the players (two time scales)",
            "unrolling, or an average of the generator's weights",
        ),
    ),
    Condition(
        "memorization",
        _memorizes,
        "The samples are copies: they lie {nearest:.2f} times as far from the nearest training sample as"
        " training samples do from each other.",
        (
            "more data",
            "augmentation (flips, DiffAugment, ADA)",
            "a smaller or regularized discriminator",
            "stopping earlier",
        ),
        chronic=False,
    ),
)

NAMES = frozenset(condition.name for condition in CONDITIONS)
