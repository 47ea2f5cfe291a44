"""The words of the command, in Python: train, resume, load, sample, walk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import model, ranks, recipe, run
from .abilities import Decodes, Samples, abilities
from .data.images import Images
from .data.listing import Index, changes
from .data.policy import Policy
from .data.scan import Watch
from .data.source import Source, open_source
from .errors import DataError, MissingError, UnavailableError, UsageError
from .game import Game
from .latent import walk as paths
from .observers import Observer
from .pictures import film, grid
from .plan import Plan
from .run import Run
from .session import Session, Stopper

WALKS = ("slerp", "linear", "explore")


class Trained:
    """A run with its game loaded.

    Attributes:
        run: its folder and records.
        game: the networks, averaged where the recipe averages, in evaluation mode.
        config: what the model folder says of itself.
    """

    def __init__(self, run: Run, game: Game, config: dict[str, Any], device: torch.device) -> None:
        self.run, self.game, self.config, self.device = run, game.to(device).eval(), config, device

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.run.folder

    @torch.no_grad()
    def sample(self, count: int = 16, *, seed: int = 0) -> Tensor:
        """New data: for images float32 (count, C, H, W) in [-1, 1], on the CPU; the same seed gives the same.

        Raises:
            UnavailableError: this game cannot sample.
        """
        if not isinstance(self.game, Samples):
            raise self._cannot("sample")
        generator = torch.Generator().manual_seed(seed)
        # One latent after the other in pieces of 64, so that any count fits in memory.
        pieces = [
            self.game.sample(min(64, count - start), generator=generator).float().cpu() for start in range(0, count, 64)
        ]
        return torch.cat(pieces)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Images float32 (N, C, H, W) in [-1, 1] of latents (N, Z).

        Raises:
            UnavailableError: this game has no latents.
        """
        if not isinstance(self.game, Decodes):
            raise self._cannot("decode")
        return self.game.decode(latents.to(self.device, torch.float32)).float().cpu()

    def walk(
        self,
        path: str | Path | None = None,
        *,
        kind: str = "slerp",
        seed: int = 0,
        count: int = 16,
        states: int = 8,
        steps: int = 24,
        fps: float = 24,
        max_bytes: int | None = None,
    ) -> Path:
        """Films a closed walk through the latent space.

        Args:
            path: `.webp`, `.gif` or `.mp4`; by default `walk.webp` in the run's folder.
            kind: `slerp` along great circles, `linear` along chords, `explore` the anime notebook's film: 15 states
                of a 10x10 sheet on chords.
            seed: of the latents.
            count: pictures in a frame.
            states: latents that each picture passes.
            steps: frames from one to the next.
            fps: frames per second.
            max_bytes: size to stay under, at the cost of quality.

        Raises:
            UsageError: an unknown kind, or a number out of range.
            UnavailableError: this game has no latents.
        """
        if kind not in WALKS:
            raise UsageError(f"--kind must be one of {', '.join(WALKS)}, got {kind!r}", where="--kind")
        if not isinstance(self.game, Decodes):
            raise self._cannot("decode")
        if kind == "explore":
            count, states = 100, 15
        generator = torch.Generator().manual_seed(seed)
        points = torch.randn(states, count, self.game.latent, generator=generator)
        frames = paths.explore(points, steps, path=paths.slerp if kind == "slerp" else paths.lerp)
        pictures = (grid.grid(self.decode(latents)) for latents in frames)
        target = Path(path) if path else self.folder / f"{'explore' if kind == 'explore' else 'walk'}.webp"
        return film.write_film(target, pictures, fps=fps, max_bytes=max_bytes)

    def _cannot(self, ability: str) -> UnavailableError:
        able = ", ".join(abilities(self.game)) or "nothing"
        return UnavailableError(f"{self.config['recipe']} cannot {ability}", fix=f"its abilities: {able}")


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
    policy: Policy | None = None,
    checkpoint_every: int | None = None,
    sample_every: int | None = None,
    observers: Sequence[Observer] = (),
    command: str | None = None,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    **options: Any,
) -> Trained:
    """Trains a GAN and returns the run.

    Args:
        recipe_name: a recipe's name (`dcgan`) or the path of a recipe file of your own.
        data: a folder, a zip, an npz, an array (N, H, W, C), or a named set such as `mnist`, `avatars:adventurer`.
        preset: a named variant of the recipe.
        steps: rounds to play, or
        epochs: passes over the data to play.
        device, precision, accumulate, compile, seed, threads: see `Plan`.
        name: of the run; by default recipe, data and a number.
        out: folder of runs.
        workers: threads that read batches ahead; they never change the result.
        flip: mirror pictures at random.
        policy: what to do about odd pictures.
        checkpoint_every, sample_every: steps; by default a tenth and a fortieth of the run, within bounds.
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
    settled = chosen.configure(preset, **length, **options)
    with Stopper().listening() as stopper, _group(plan):
        reading = {"flip": flip, "policy": asdict(policy or Policy())}
        source = _source(data, reading, plan, workers, Watch(stopper, progress))
        home = Run(ranks.share(run.create(Path(out), name, f"{chosen.name}-{source.name}").folder))
        pace = _pace(getattr(settled, "steps", 1000), checkpoint_every, sample_every)
        session = Session(home, chosen, settled, plan, source, *pace, observers, stopper)
        if dry_run:
            match = session.rehearse()
            return Trained(home, match.game, {"recipe": chosen.address, "steps": match.stage.steps}, plan.torch_device)
        with home.owned() if ranks.rank() == 0 else nullcontext():
            spec = str(data) if isinstance(data, (str, Path)) else None
            session.begin(source={"spec": spec, **reading}, preset=preset, command=command)
            session.play()
    return load(home.folder, device=device, recipe_file=recipe_name if recipe_name.endswith(".py") else None)


def resume(
    name: str | Path,
    *,
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
    facts = home.facts()
    changes = {key: value for key, value in {"device": device, "threads": threads}.items() if value is not None}
    plan = replace(Plan(**facts["plan"]), **changes).resolve()
    chosen = recipe.find(recipe_file or _trusted(facts["recipe"], home))
    settled = chosen.configure(**facts["options"])
    with Stopper().listening() as stopper, _group(plan):
        again = facts["source"]["spec"] if data is None else data
        index = None if accept_data_change else home.index()
        source = _source(again, facts["source"], plan, workers, Watch(stopper, progress), index and set(index))
        if index:
            _require_same(index, source.index)
        known = None if accept_data_change else facts.get("data", {}).get("fingerprint")
        pace = facts["checkpoint_every"], facts["sample_every"]
        session = Session(home, chosen, settled, plan, source, *pace, observers, stopper, expected=known)
        with home.owned() if ranks.rank() == 0 else nullcontext():
            if facts["status"] != "done":
                session.play(resume=True)
    return load(home.folder, device=device or "auto", recipe_file=recipe_file)


def load(
    name: str | Path, *, device: str = "auto", out: str | Path = "runs", recipe_file: str | None = None
) -> Trained:
    """A trained run, or a model folder that somebody gave you.

    Args:
        name: a run's path, its name, `last`, or the path of a model folder.
        device: where to put the game.
        out: folder of runs.
        recipe_file: the recipe, if it is a file of its author's own and you trust it.

    Raises:
        MissingError: there is no such run or model.
        CheckpointError: the model is damaged or foreign.
    """
    path = Path(name)
    given = path if (path / "model.safetensors").is_file() or path.is_file() else None
    home = Run(path) if given else run.find(str(name), Path(out))
    game, config = model.load(given or home.model, recipe_file)
    return Trained(home, game, config, Plan(device).resolve().torch_device)


def _source(
    data: Any,
    reading: Mapping[str, Any],
    plan: Plan,
    workers: int,
    watch: Watch,
    only: Set[str] | None = None,
) -> Source:
    if data is None:
        raise MissingError(
            "no data to train on", where="DATA", fix="name a folder, a zip, an npz, or a set: saddle data list"
        )
    policy = Policy(**{**reading["policy"], "background": tuple(reading["policy"]["background"])})
    return open_source(
        data, policy=policy, seed=plan.seed, flip=reading["flip"], workers=workers, watch=watch, only=only
    )


def _require_same(old: Index, new: Index) -> None:
    found = changes(old, new)
    if found["changed"] or found["gone"]:
        first = ", ".join([*found["changed"], *found["gone"]][:5])
        raise DataError(
            f"data set differs from this run's: {len(found['changed'])} files changed, "
            f"{len(found['gone'])} gone ({first}{', …' if len(found['changed']) + len(found['gone']) > 5 else ''})",
            fix="restore them, or --accept-data-change",
        )


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
    finally:
        ranks.leave()
