"""How well a game translates: pairs against their other sides, two sets by what a network sees, and by the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ..abilities import Translates, TranslatesBack, translator
from ..data.images import Images
from ..data.pairs import Pairs, Sides
from ..data.scan import Watch
from ..errors import UnavailableError, UsageError
from ..making import compared, place, seeded, translated
from ..metrics.bootstrap import bootstrap, mean
from ..metrics.perceptual import perceptual_distance
from ..metrics.ssim import ssim
from ..metrics.translation import l1, psnr
from ..pictures.sheets import headed
from ..trained import Trained
from .comparison import HIGHER, LOWER, Comparison, Score, View
from .evaluate import Evaluation, circumstances, looked
from .families import FAMILIES, choose
from .sides import PIECE, Middle, Set, Side, Translated, pieces
from .sight import Sight
from .subject import sides_of_run

CYCLE = "cycle"
ROWS = 8

Measure = Callable[[Tensor, Tensor], Tensor]
"""A number for each of two times (N, C, H, W) in [-1, 1]."""


@dataclass(frozen=True)
class Translator:
    """What is measured, and of what.

    Attributes:
        game: on its device and in evaluation mode.
        sets: source and target; `Pairs` where their rows belong together.
        against: what they are to the run: `training`, `held out`, or the name of another set.
        facts: where all of it comes from, as plain values.
        count: pictures of each side, at most.
        seed: of the choice of pictures, and of the game's noise.
    """

    game: Translates
    sets: Sides
    against: str
    facts: dict[str, Any]
    count: int
    seed: int

    @property
    def source(self) -> Side:
        """What is translated."""
        return self._side(self.sets.source, "source")

    @property
    def target(self) -> Side:
        """What it is translated to."""
        return self._side(self.sets.target, "target")

    def named(self) -> Iterator[tuple[str, Side]]:
        """Both sides by what they are called."""
        return zip(self.sets.sides, (self.source, self.target), strict=True)

    def _side(self, images: Images, part: str) -> Side:
        return Middle(Set(images, self.count, seed=self.seed), self.game.multiple, part=part)


def of_translator(
    trained: Trained, against: Any, count: int, *, size: int | None, by_class: bool, seed: int, watch: Watch
) -> Translator:
    """A run of a game that translates, and what it is measured of; see `subject.sides_of_run`.

    Raises:
        UsageError: a size, which the run has decided, or classes, which there are none of.
    """
    if size is not None or by_class:
        raise UsageError("translations have the run's size and no classes", where="--size, --by-class")
    game = translator(trained.game, trained.config["recipe"])
    what, sets = sides_of_run(trained, against, watch=watch)
    facts = {"run": trained.run.name, "recipe": trained.config["recipe"], "step": trained.config.get("step")}
    return Translator(game, sets, what, facts, count, seed)


def evaluate(subject: Translator, names: Sequence[str] | None, look: Callable[[], Sight], watch: Watch) -> Evaluation:
    """Measures a game that translates.

    Of pairs: `l1`, `psnr`, `ssim` and `perceptual`. Of two sets: any family of scores, of the translations against the
    target, and beside it what the source gets as it is; and `cycle`, the mean absolute difference there and back.

    Args:
        subject: what, and of what.
        names: of scores; by default those of pairs, or `fd` and `cycle`.
        look: gives the network that looks at sets; pairs need none.
        watch: stop flag and progress.

    Raises:
        UsageError: a score that is not measured of such a game.
        UnavailableError: one that was asked for needs a package that is not installed.
    """
    skipped: dict[str, str] = {}
    if isinstance(subject.sets, Pairs):
        scores, network = tuple(_of_pairs(subject, names, watch, skipped)), {}
    else:
        sight = look()
        scores, network = tuple(_of_sets(subject, names, sight, watch, skipped)), {"network": looked(sight)}
    source = subject.source.read(0, 1).image
    return Evaluation(
        what=str(subject.facts["run"]),
        against=(subject.against,),
        scores=scores,
        how={
            **subject.facts,
            **network,
            "seed": subject.seed,
            "pictures": f"{source.shape[-1]}x{source.shape[-2]}, the middle of {_size(subject.sets)}",
            "data": {part: f"{side.name}, {len(side):,} of key {side.key}" for part, side in subject.named()},
            **circumstances(),
        },
        skipped=skipped,
        sheets=(("Translations", "Not chosen: the first ones.", _sheet(subject)),),
    )


def _of_pairs(
    subject: Translator, names: Sequence[str] | None, watch: Watch, skipped: dict[str, str]
) -> Iterator[Score]:
    """How far translations are from their targets, and how far the source is as it was."""
    known: dict[str, tuple[str, str, Callable[[], Measure]]] = {
        "l1": ("l1", LOWER, lambda: l1),
        "psnr": ("psnr", HIGHER, lambda: psnr),
        "ssim": ("ssim", HIGHER, lambda: ssim),
        "perceptual": ("perceptual_vgg16", LOWER, _perceptual),
    }
    for name in _chosen(names, known):
        label, better, find = known[name]
        try:
            made, before = _distances(subject, find(), watch)
        except (UsageError, UnavailableError) as error:
            if names is not None:
                raise
            skipped[name] = error.what
            continue
        near = bootstrap(mean, made, seed=subject.seed)
        note, count = f"the source as it is: {mean(before):.4g}", len(made)
        yield Score(label, mean(made), better, subject.against, count, count, near.low, near.high, note=note)


def _perceptual() -> Measure:
    return torch.no_grad()(perceptual_distance())


def _distances(subject: Translator, measure: Measure, watch: Watch) -> tuple[Tensor, Tensor]:
    """Of each pair the distance of the translation, and that of the source, to the target: float64 (N,) each."""
    source, target, made, before = subject.source, subject.target, [], []
    for start in range(0, len(source), PIECE):
        watch.check()
        size = min(PIECE, len(source) - start)
        given, wanted = source.read(start, size).image, target.read(start, size).image
        made.append(measure(translated(subject.game, given, seed=subject.seed), wanted).double())
        before.append(measure(given, wanted).double())
        watch.progress(start + size, len(source))
    return torch.cat(made), torch.cat(before)


def _of_sets(
    subject: Translator, names: Sequence[str] | None, sight: Sight, watch: Watch, skipped: dict[str, str]
) -> Iterator[Score]:
    """How translations are distributed, in both directions where there are two; and what the way back loses."""
    wanted = _chosen(names, {**FAMILIES, CYCLE: None}) if names else ["fd", CYCLE]
    families = choose([name for name in wanted if name != CYCLE], points=False)
    views = {back: View(side, sight) for back, side in ((False, subject.source), (True, subject.target))}
    ways = (False, True) if isinstance(subject.game, TranslatesBack) else (False,)
    for back in ways:
        made = View(Translated(views[back].side, subject.game, back=back, seed=subject.seed), sight)
        ending = "_back" if back else ""
        one, other = reversed(subject.game.sides) if back else subject.game.sides
        for name, view, words in (("", made, "translated"), ("_untranslated", views[back], "untranslated")):
            comparison = Comparison(view, views[not back], against=subject.against, seed=subject.seed)
            comparison.intervals = view is made
            for family in families:
                for score in family.measure(comparison):
                    note = "; ".join(filter(None, (f"{one} {words}, against {other}", score.note)))
                    yield replace(score, name=f"{score.name}{name}{ending}", note=note)
        if CYCLE in wanted and isinstance(subject.game, TranslatesBack):
            lost = _cycle(subject.game, views[back].side, back, subject.seed, watch)
            note = f"{one} to {other} and back"
            yield Score(f"{CYCLE}_l1{ending}", mean(lost), LOWER, subject.against, len(lost), 0, note=note)
    if CYCLE in wanted and not isinstance(subject.game, TranslatesBack):
        skipped[CYCLE] = "there is no way back"


def _cycle(game: Translates, side: Side, back: bool, seed: int, watch: Watch) -> Tensor:
    """By how much each picture differs from itself there and back, float64 (N,)."""
    lost = []
    for batch in pieces(side):
        watch.check()
        there = translated(game, batch.image, back=back, seed=seed)
        lost.append(l1(translated(game, there, back=not back, seed=seed), batch.image))
    return torch.cat(lost)


def _chosen(names: Sequence[str] | None, known: Iterable[str]) -> list[str]:
    """Names of scores, each once; all that are known by default."""
    fitting = list(known)
    for name in names or ():
        if name not in fitting:
            near = get_close_matches(name, fitting, 1)
            fix = f"did you mean {near[0]}?" if near else f"one of {', '.join(fitting)}"
            raise UsageError(f"{name} is not measured of such translations", where="--metrics", fix=fix)
    return list(dict.fromkeys(names or fitting))


def _sheet(subject: Translator) -> Image.Image:
    device = place(subject.game)
    rows = min(ROWS, len(subject.source), len(subject.target))
    source, target = (side.read(0, rows).image.to(device) for side in (subject.source, subject.target))
    with torch.no_grad(), seeded(subject.seed, device):
        columns = compared(subject.game, source, target, paired=isinstance(subject.sets, Pairs))
    images = torch.stack([images.float().cpu() for _, images in columns], 1).flatten(0, 1)
    return headed(images, columns=len(columns), heads=[head for head, _ in columns])


def _size(sets: Sides) -> str:
    return f"{sets.shape[2]}x{sets.shape[1]}"
