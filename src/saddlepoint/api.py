"""The words of the command, in Python: train, resume, evaluate and trade off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import ranks, recipe, run
from .data import attributes
from .data.images import Images
from .data.layout import shown
from .data.listing import Index, changes
from .data.policy import Policy, recorded
from .data.scan import Watch
from .data.source import Source, open_source
from .errors import DataError, MissingError, UsageError
from .evaluation.ask import Evaluation, evaluate
from .evaluation.tradeoff import Tradeoff, tradeoff
from .evaluation.watch import Watching, scoring
from .observers import Observer
from .plan import Plan
from .run import Run
from .session import Session, Stopper
from .trained import Trained, load

__all__ = ["Evaluation", "Tradeoff", "Trained", "Watching", "evaluate", "load", "resume", "tradeoff", "train"]


def train(
    recipe_name: str,
    data: str | Path | np.ndarray | Images | None = None,
    *,
    preset: str | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    device: str = "auto",
    precision: str = "fp32",
    accumulate: int = 1,
    compile: bool = False,
    seed: int = 0,
    threads: int | None = None,
    name: str | None = None,
    out: str | Path = "runs",
    workers: int = 0,
    flip: bool = False,
    holdout: float = 0.0,
    by: str | Sequence[str] = (),
    policy: Policy | None = None,
    checkpoint_every: int | None = None,
    sample_every: int | None = None,
    watching: Watching | None = None,
    observers: Sequence[Observer] = (),
    command: str | None = None,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    **options: Any,
) -> Trained:
    """Trains a GAN and returns the run.

    Args:
        recipe_name: a recipe's name (`dcgan`) or the path of a recipe file of your own.
        data: a folder, a zip, an npz, an array (N, H, W, C), a named set such as `mnist`, `avatars:adventurer`, or a
            toy distribution such as `ring8`.
        preset: a named variant of the recipe; for points the one called `plane`, if there is one, unless named.
        steps: rounds to play, or
        epochs: passes over the data to play.
        device, precision, accumulate, compile, seed, threads: see `Plan`.
        name: of the run; by default recipe, data and a number.
        out: folder of runs.
        workers: threads that read batches ahead; they never change the result.
        flip: mirror pictures at random.
        holdout: share of the pictures kept out of the training, to measure with.
        by: attributes whose values are the classes, of avatars or of a label file; of several the combinations.
        policy: what to do about odd pictures.
        checkpoint_every, sample_every: steps; by default a tenth and a fortieth of the run, within bounds.
        watching: how to measure the run while it trains, and keep its best model; by default it is not.
        observers: called with each `Moment` they are due for.
        command: how the user said it, for the record.
        dry_run: check everything, scan the data, build the game, and stop before the first step.
        progress: told (done, total) while data are scanned or drawn.
        options: of the recipe.

    Raises:
        SaddleError: each kind with what, where and how to fix.
    """
    plan = Plan(device, precision, accumulate, compile, seed, threads).resolve()
    chosen = recipe.find(recipe_name)
    length = {key: value for key, value in {"steps": steps, "epochs": epochs}.items() if value is not None}
    with Stopper().listening() as stopper, _group(plan):
        kept = {"policy": asdict(policy or Policy()), "by": list(attributes.chosen(by))}
        reading = {"flip": flip, "holdout": holdout, **kept}
        source = _source(data, reading, plan, workers, Watch(stopper, progress))
        preset = preset or (source.kind if source.kind in chosen.presets else None)
        settled = chosen.configure(preset, **length, **options)
        home = Run(ranks.share(run.create(Path(out), name, f"{chosen.name}-{Path(source.name).name}").folder))
        pace = _pace(getattr(settled, "steps", 1000), checkpoint_every, sample_every)
        session = Session(home, chosen, settled, plan, source, *pace, observers, stopper)
        watching = watching or Watching()
        session.observers = [*scoring(session, watching), *observers]
        if dry_run:
            match = session.rehearse()
            return Trained(home, match.game, {"recipe": chosen.address, "steps": match.stage.steps}, plan.torch_device)
        with home.owned(new=True) if ranks.rank() == 0 else nullcontext():
            spec = str(data) if isinstance(data, (str, Path)) else None
            session.begin(source={"spec": spec, **reading}, preset=preset, command=command, watching=watching.facts())
            session.play()
    return load(home.folder, device=device, recipe_file=recipe_name if recipe_name.endswith(".py") else None)


def resume(
    name: str | Path,
    *,
    steps: int | None = None,
    data: np.ndarray | Images | None = None,
    device: str | None = None,
    threads: int | None = None,
    workers: int = 0,
    out: str | Path = "runs",
    observers: Sequence[Observer] = (),
    accept_data_change: bool = False,
    recipe_file: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Trained:
    """Goes on with a run as if it had never stopped: on a CPU with the same threads, bit for bit.

    Args:
        name: a run's path, its name, or `last`.
        steps: train to this step instead, also when the run is done. Schedules then stretch over all of it.
        data: the array the run was started with, if it was started with one.
        device: another device than before.
        threads: another number of threads; changes the last bits.
        workers: threads that read ahead.
        out: folder of runs.
        observers: as for `train`.
        accept_data_change: train on although the data differ from before.
        recipe_file: the recipe, if it is a file of your own.
        progress: told (done, total) while data are scanned.

    Raises:
        SaddleError: each kind with what, where and how to fix.
    """
    home = run.find(str(name), Path(out))
    facts = home.begun()
    before = Plan(**facts["plan"])
    plan = replace(before, device=device or before.device, threads=threads or before.threads).resolve()
    chosen = recipe.find(recipe_file or _trusted(facts["recipe"], home))
    settled = chosen.configure(**_longer(facts, steps))
    with Stopper().listening() as stopper, _group(plan):
        again = facts["source"]["spec"] if data is None else data
        index = None if accept_data_change else home.index()
        source = _source(again, facts["source"], plan, workers, Watch(stopper, progress), set(index) if index else None)
        if index:
            _require_same(index, source.index)
        known = None if accept_data_change else facts.get("data", {}).get("fingerprint")
        pace = facts["checkpoint_every"], facts["sample_every"]
        session = Session(home, chosen, settled, plan, source, *pace, observers, stopper, expected=known)
        session.observers = [*scoring(session, Watching.of(facts.get("watching", {}))), *observers]
        with home.owned() if ranks.rank() == 0 else nullcontext():
            if facts["status"] != "done" or steps is not None:
                session.go_on()
                session.play(resume=True)
    return load(home.folder, device=device or "auto", recipe_file=recipe_file)


def _source(
    data: Any, reading: Mapping[str, Any], plan: Plan, workers: int, watch: Watch, only: Set[str] | None = None
) -> Source:
    if data is None:
        raise MissingError(
            "no data to train on", where="DATA", fix="name a folder, a zip, an npz, or a set: saddle data list"
        )
    order = {"seed": plan.seed, "flip": reading["flip"], "workers": workers}
    # All processes read the same pictures; one tells of it.
    watch = watch if ranks.rank() == 0 else Watch(watch.should_stop)
    return open_source(data, watch=watch, only=only, **recorded(reading), **order)


def _require_same(old: Index, new: Index) -> None:
    found = changes(old, new)
    different = [*found["changed"], *found["gone"]]
    if different:
        first = ", ".join(map(shown, different[:5])) + (", …" if len(different) > 5 else "")
        raise DataError(
            f"data set differs from this run's: {len(found['changed'])} changed, {len(found['gone'])} gone ({first})",
            fix="restore them, or --accept-data-change",
        )


def _longer(facts: Mapping[str, Any], steps: int | None) -> dict[str, Any]:
    options: dict[str, Any] = facts["options"]
    if steps is None:
        return options
    if steps <= facts["step"]:
        raise UsageError(
            f"--steps must be more than the {facts['step']:,} steps this run has, got {steps:,}", where="--steps"
        )
    # A length in epochs would win over one in steps.
    return {**options, **({"epochs": None} if "epochs" in options else {}), "steps": steps}


def _pace(steps: int, checkpoint_every: int | None, sample_every: int | None) -> tuple[int, int]:
    for flag, every in (("checkpoint-every", checkpoint_every), ("sample-every", sample_every)):
        if every is not None and every < 1:
            raise UsageError(f"--{flag} must be a whole number of at least 1, got {every}", where=f"--{flag}")
    return checkpoint_every or max(50, min(1000, steps // 10)), sample_every or max(10, min(500, steps // 40))


def _trusted(address: str, home: Run) -> str:
    # A run folder may come from a stranger; it must not choose which file of code is run.
    if address.endswith(".py"):
        raise UsageError(
            f"{home.name} was made with a recipe of its own, {Path(address).name}",
            where=str(home.folder),
            fix=f"name the file if you trust it: --recipe {address}",
        )
    return address


@contextmanager
def _group(plan: Plan) -> Iterator[None]:
    plan.prepare()
    ranks.join(plan.device)
    try:
        yield
        ranks.meet()
    finally:
        ranks.leave()
