"""Plays a recipe's stages in a run's folder, from the first step or from the newest checkpoint."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any

from . import model, ranks
from .abilities import Samples, Translates, abilities
from .checkpoint import Saved, replace_durably
from .data.pairs import Pairs
from .data.points import Points
from .data.source import Source
from .errors import DataError, DiskError, Stopped
from .game import Stage
from .loop import train
from .match import Match, build, opening
from .observers import Log, Moment, Observer, Portfolio, Snapshots, Translations
from .physician import Physician
from .plan import Plan, has_bf16
from .plane import PlaneViews
from .recipe import Options, Recipe
from .run import Run, now, require_space

SAVES_AT_LEAST = 3


class Stopper:
    """Turns SIGTERM and SIGINT into a wish that the loop asks for; a second one leaves at once.

    The handler only sets a flag: files are written by the loop, between two steps, so nothing is left half done. A
    second signal during a save loses that save and no other, because a checkpoint is committed by one rename.
    """

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked

    @contextlib.contextmanager
    def listening(self) -> Iterator[Stopper]:
        """Inside, the two signals ask to stop. Outside the main thread signals cannot be caught."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            os._exit(Stopped.exit_code)
        self.asked = True


@dataclass
class Session:
    """A run that is about to be played.

    Attributes:
        run: its folder.
        recipe: what is played.
        options: its validated options.
        plan: how, resolved.
        source: the data, not yet decoded.
        checkpoint_every: steps between checkpoints.
        sample_every: steps between pictures.
        observers: further observers, such as a progress display.
        stopper: asked after each step.
        expected: fingerprint that the data must have; None accepts any.
    """

    run: Run
    recipe: Recipe
    options: Options
    plan: Plan
    source: Source
    checkpoint_every: int
    sample_every: int
    observers: Sequence[Observer] = ()
    stopper: Stopper = field(default_factory=Stopper)
    expected: str | None = None

    match: Match | None = field(default=None, init=False)

    def begin(self, **facts: Any) -> None:
        """Writes the first run.json: all that `resume` needs to build the same session again."""
        self._write(
            recipe=self.recipe.address,
            plan=self.plan.facts(),
            checkpoint_every=self.checkpoint_every,
            sample_every=self.sample_every,
            processes=ranks.world(),
            step=0,
            started=now(),
            **self._now(),
            **facts,
        )

    def go_on(self) -> None:
        """Writes that the run goes on, and what it was played with before."""
        before = self.run.facts()
        earlier = {key: before[key] for key in ("step", "finished", "versions", "git") if key in before}
        self._write(**self._now(), resumed=[*before.get("resumed", []), earlier])

    def rehearse(self) -> Match:
        """Scans the data and builds the first stage's game and players, and writes nothing."""
        self.match = opening(self.recipe.stages(self.options, self.source), self.plan)
        return self.match

    def write_model(self, folder: Path, moment: Moment) -> None:
        """Writes the averaged networks of a moment as a model folder."""
        with moment.match.averages.applied():
            tensors = {name: tensor.clone() for name, tensor in moment.game.state_dict().items()}
        config = {
            "recipe": self.recipe.address,
            "options": self.options.model_dump(mode="json"),
            "stage": moment.stage,
            "step": moment.step,
            "abilities": abilities(moment.game),
            "version": metadata.version("saddlepoint"),
            "data": describe(moment.match.stage),
        }
        model.save(folder, tensors, config)

    def tell(self, kind: str, message: str) -> None:
        """Puts an event in the log and before the user's eyes."""
        if ranks.rank() == 0:
            self.run.append({"step": self.match.total_step if self.match else 0, "event": kind, "message": message})
            sys.stderr.write(f"{kind.replace('_', ' ')}: {message}\n")

    def play(self, *, resume: bool = False) -> Match:
        """Plays to the end of the last stage.

        Raises:
            Stopped: a signal asked for it; everything is saved.
            SaddleError: see `loop.train`.
        """
        saved = self._newest() if resume else None
        began, earlier = time.monotonic(), float(self.run.facts().get("seconds") or 0) if resume else 0.0
        status = "failed"
        if self.plan.precision == "bf16" and not has_bf16(self.plan.device):
            self.tell("slow", "no bf16 instructions here: fp32 is many times faster, and what --precision auto takes")
        try:
            self._play_stages(saved)
            status = "done"
        except Stopped:
            status = "stopped"
            raise
        finally:
            step = self.match.total_step if self.match else 0
            seconds = round(earlier + time.monotonic() - began, 1)
            with contextlib.suppress(DiskError):
                self._write(status=status, step=step, finished=now(), seconds=seconds)
        assert self.match is not None
        return self.match

    def _now(self) -> dict[str, Any]:
        options = self.options.model_dump(mode="json")
        return {"status": "running", "options": options, "versions": versions(), "git": revision()}

    def _write(self, **facts: Any) -> None:
        if ranks.rank() == 0:
            self.run.note(**facts)

    def _newest(self) -> Saved | None:
        if not self.run.checkpoints.steps():
            return None
        saved = ranks.one_after_rank_0(self.run.checkpoints.newest)
        for problem in saved.skipped:
            self.tell("skipped", f"step {problem}; kept as .corrupt, resumed from step {saved.step}")
        return saved

    def _play_stages(self, saved: Saved | None) -> None:
        stages, store, base = self.recipe.stages(self.options, self.source), self.run.checkpoints, 0
        index = 0
        while (stage := build(stages, self.plan, index)) is not None:
            if self.match is not None and self.match.step and store.end_of(self.match.stage.name) is None:
                if ranks.rank() == 0:
                    store.finish(self.match.stage.name)
                ranks.share(None)
            self.match = match = Match(stage, self.plan, index=index, base=base, before=self.match)
            base, index = base + stage.steps, index + 1
            if (ended := store.end_of(stage.name)) is not None:
                match.restore(ended)
                continue
            if saved is not None and saved.facts["stage"] == stage.name:
                match.restore(saved)
            self._play_stage(match)

    def _play_stage(self, match: Match) -> None:
        if ranks.rank() == 0:
            self._note(match)
        try:
            train(
                match,
                observers=[*self._observers(match), *self.observers],
                store=self.run.checkpoints,
                checkpoint_every=self.checkpoint_every,
                stop=self.stopper,
                tell=self.tell,
            )
        except Stopped as stopped:
            raise Stopped(stopped.what, fix=f"saddle resume {self.run.name}") from None

    def _note(self, match: Match) -> None:
        kept = [*match.game.state_dict().values(), *match.averages.state().values()]
        moved = [parameter for player in match.players.values() for parameter in player.params]
        # Adam keeps two moments of each parameter.
        size = sum(tensor.nbytes for tensor in kept) + 2 * sum(parameter.nbytes for parameter in moved)
        require_space(self.run.folder, SAVES_AT_LEAST * size)
        found = describe(match.stage)
        if self.expected is not None and found["fingerprint"] != self.expected:
            raise DataError(
                "data set differs from this run's: its pictures are not the same",
                where=str(found["name"]),
                fix="restore it, or --accept-data-change",
            )
        self.run.note(
            status="running",
            steps=match.base + match.stage.steps,
            data=found,
        )
        if self.source.report is not None:
            replace_durably(self.run.folder / "data_report.json", json.dumps(self.source.report.to_json()).encode())
        replace_durably(self.run.folder / "data_index.json", json.dumps(self.source.index).encode())

    def _observers(self, match: Match) -> list[Observer]:
        every: list[Observer] = [Log(self.run), Physician(self.run, self.tell, match.stage.steps)]
        every += self._pictures(match)
        return [*every, ModelFolder(self, self.checkpoint_every), Portfolio(self.run, self.checkpoint_every)]

    def _pictures(self, match: Match) -> list[Observer]:
        examples, every, seed = getattr(match.stage.data, "examples", None), self.sample_every, self.plan.seed
        if isinstance(match.game, Translates):
            return [Translations(self.run.samples, every, paired=isinstance(examples, Pairs), seed=seed)]
        if not isinstance(match.game, Samples):
            return []
        if isinstance(examples, Points):
            return [PlaneViews(self.run, every, examples, seed=seed)]
        return [Snapshots(self.run.samples, every, seed=seed)]


class ModelFolder:
    """Writes `model/` beside each checkpoint, so that a run can be sampled while it trains."""

    def __init__(self, session: Session, every: int) -> None:
        self.session, self.every = session, every

    def __call__(self, moment: Moment) -> None:
        self.session.write_model(self.session.run.model, moment)


def describe(stage: Stage) -> dict[str, Any]:
    """What a model has to know of its data, as plain values; a stream of a recipe's own may have nothing to say."""
    examples = getattr(stage.data, "examples", None)
    if examples is None:
        return {"name": "none", "count": 0, "channels": 3, "height": 0, "width": 0, "classes": [], "fingerprint": ""}
    return dict(examples.facts())


def versions() -> dict[str, str]:
    """Versions of what decides a run's numbers."""
    packages = {name: metadata.version(name) for name in ("saddlepoint", "torch", "numpy", "pillow", "safetensors")}
    return {"python": platform.python_version(), **packages, "machine": f"{platform.system()} {platform.machine()}"}


def revision() -> dict[str, Any] | None:
    """Commit of the source this process runs, and whether it was changed since; None outside a checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    here = Path(__file__).parent

    def ask(*words: str) -> str:
        answer = subprocess.run([git, "-C", here, *words], capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
        return answer.stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "changed": bool(ask("status", "--porcelain", "--", str(here)))}
    except (subprocess.SubprocessError, OSError):
        return None
