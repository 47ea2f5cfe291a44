"""What is to be measured, and against what: from words of the user to two sides."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.images import Images
from ..data.pairs import Sides, held_out_pairs, held_out_unpaired, pairs, unpaired
from ..data.points import Points
from ..data.policy import recorded
from ..data.scan import Watch
from ..data.source import Source, open_source
from ..errors import DataError, MissingError, UsageError
from ..trained import Trained
from .sides import Made, Set, Side

TRAINING, HELD_OUT = "training", "held out"


@dataclass(frozen=True)
class Subject:
    """A side to be measured, and the sides it is compared with.

    Attributes:
        fake: what is measured: what a game makes, or a set of pictures.
        real: by what they are to it: `training`, `held out`, or the name of another set.
        facts: where all of it comes from, as plain values.
        points: whether these are points and no pictures.
    """

    fake: Side
    real: dict[str, Side]
    facts: dict[str, Any]
    points: bool = False

    @property
    def labeled(self) -> bool:
        """Whether both sides have classes, or the data have and a game tells its own."""
        tells = isinstance(self.fake, Made) and self.fake.classifies is not None
        return bool(self.fake.classes or tells) and any(side.classes for side in self.real.values())


def is_run(name: str, root: Path) -> bool:
    """Whether this names a run or a model, and not data."""
    if name == "last":
        return True
    places = (Path(name), root / name)
    return any((place / file).is_file() for place in places for file in ("run.json", "model.safetensors"))


def of_run(trained: Trained, against: Any, count: int, *, size: int | None, seed: int, watch: Watch) -> Subject:
    """A run against its own data, the pictures it held out among them, or against other data.

    Raises:
        DataError: the run's data are no longer what they were.
        MissingError: they are not at hand.
        UsageError: a size, which the run has decided.
    """
    shape = trained.config["data"]
    if size is not None:
        raise UsageError("pictures of a run have its size", where="--size", fix="leave it out")
    points = bool(shape.get("toy"))
    fake = Made(trained.game, count, name=trained.run.name, seed=seed)
    facts = {"run": trained.run.name, "recipe": trained.config["recipe"], "step": trained.config.get("step")}
    if against is not None:
        other = _examples(_open(against, {}, watch), shape)
        return Subject(fake, {other.name: Set(other, count, seed=seed)}, facts, points)
    source, own = own_data(trained, watch, where="--against", fix="--against DATA")
    return Subject(fake, sides_of(source, own, count, seed=seed), facts, points)


def sides_of(source: Source, examples: Images | Points, count: int, *, seed: int) -> dict[str, Side]:
    """What a run was trained on and, of the same size and channels, what its source held out."""
    real: dict[str, Side] = {TRAINING: Set(examples, count, seed=seed)}
    if source.holdout:
        channels, height, width = examples.shape
        real[HELD_OUT] = Set(source.held_out(size=(height, width), channels=channels), count, seed=seed)
    return real


def of_data(data: Any, against: Any, count: int, *, size: int | None, seed: int, watch: Watch) -> Subject:
    """Pictures against pictures.

    Raises:
        UsageError: nothing to compare with, or points.
    """
    source = _open(data, {}, watch)
    if against is None:
        raise UsageError("pictures are measured against others", where="--against", fix="--against DATA")
    fake, real = source.images(size=size), _open(against, {}, watch).images(size=size)
    if fake.channels != real.channels:
        channels = max(fake.channels, real.channels)
        fake, real = (_open(each, {}, watch).images(size=size, channels=channels) for each in (data, against))
    return Subject(Set(fake, count, seed=seed), {real.name: Set(real, count, seed=seed)}, {"data": fake.name})


def own_data(trained: Trained, watch: Watch, *, where: str, fix: str) -> tuple[Source, Images | Points]:
    """The source of a run's data, and what it was trained on.

    Args:
        trained: the run.
        watch: of the pass over the data.
        where, fix: where and how to name other data, for messages.

    Raises:
        DataError: the data are no longer what they were.
        MissingError: they are not at hand.
    """
    source = _own_source(trained, watch, where, fix)
    own = _examples(source, trained.config["data"])
    if own.fingerprint != trained.run.begun()["data"]["fingerprint"]:
        raise _changed(own.name, fix)
    return source, own


def sides_of_run(trained: Trained, against: Any, *, watch: Watch) -> tuple[str, Sides]:
    """What a game that translates is measured with, and what that is to it.

    Its own held-out part if there is one, else what it was trained on; or other data, as pairs if they are pairs.

    Raises:
        DataError: the run's data are no longer what they were.
        MissingError: they are not at hand.
        UsageError: the other data have no two sides.
    """
    shape: dict[str, Any] = {"size": trained.config["data"]["height"], "channels": trained.config["data"]["channels"]}
    if against is not None:
        other = _open(against, {}, watch)
        try:
            return other.name, pairs(other, **shape)
        except (UsageError, DataError):
            return other.name, unpaired(other, **shape)
    source = _own_source(trained, watch, "--against", "--against DATA")
    fingerprint = trained.run.begun()["data"]["fingerprint"]
    for find, held_out in ((pairs, held_out_pairs), (unpaired, held_out_unpaired)):
        # The fingerprint knows whether the run took them as pairs; what are no pairs cannot be read as such.
        with suppress(UsageError, DataError):
            if (own := find(source, **shape)).fingerprint == fingerprint:
                with suppress(UsageError):
                    return HELD_OUT, held_out(source, **shape)
                return TRAINING, own
    raise _changed(source.name, "--against DATA")


def _own_source(trained: Trained, watch: Watch, where: str, fix: str) -> Source:
    if not (trained.run.folder / "run.json").is_file():
        raise MissingError("a model alone does not know its data", where=where, fix=fix)
    facts = trained.run.begun()
    if facts["source"]["spec"] is None:
        raise MissingError("the run was trained on an array, which is not at hand", where=where, fix=fix)
    return _open(facts["source"]["spec"], facts["source"], watch)


def _changed(name: str, fix: str) -> DataError:
    what = "the run's data are not what they were when it trained"
    return DataError(what, where=name, fix=f"restore them, or name other data: {fix}")


def _open(data: Any, reading: Mapping[str, Any], watch: Watch) -> Source:
    return open_source(data, watch=watch, **(recorded(reading) if reading else {}))


def _examples(source: Source, shape: Mapping[str, Any]) -> Images | Points:
    """The data at the size and with the channels that a model makes."""
    if (source.kind == "plane") != bool(shape.get("toy")):
        raise UsageError("points and pictures cannot be compared", where=source.name)
    return source.examples(size=(shape["height"], shape["width"]), channels=shape["channels"])
