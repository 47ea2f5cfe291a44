"""A trained game, ready to make pictures: what `load` gives, and `train` and `resume` end with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from . import model, run
from .abilities import Conditional, Decodes, Samples, abilities, decode
from .errors import MissingError, UnavailableError, UsageError
from .game import Game
from .latent import walk as paths
from .pictures import film, grid, negatives, plane
from .pictures.log import measured, read_log
from .plan import Plan
from .run import Run

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

    def log(self) -> list[dict[str, Any]]:
        """What each logged step measured, in order: `step`, `stage`, `seconds`, `images_per_second`, `values`."""
        return measured(read_log(self.folder / "log.jsonl"))

    @torch.no_grad()
    def sample(self, count: int = 16, *, seed: int = 0, labels: Tensor | Sequence[int | str] | None = None) -> Tensor:
        """New data: for images float32 (count, C, H, W) in [-1, 1], on the CPU; the same seed gives the same.

        Args:
            count: how many.
            seed: of the latents, and of the labels if none are given.
            labels: classes by name or number, taken in turn, for a game that has classes; by default as often as in
                the data. Or float (count, K), whose rows are shares of the K classes.

        Raises:
            UnavailableError: this game cannot sample.
            UsageError: labels for a game without classes, or a class that it does not know.
        """
        if not isinstance(self.game, Samples):
            raise self._cannot("sample")
        generator = torch.Generator().manual_seed(seed)
        wanted = None if labels is None else self.labels(labels, count).to(self.device)
        # One latent after the other in pieces of 64, so that any count fits in memory.
        pieces = []
        for start in range(0, count, 64):
            size = min(64, count - start)
            given = None if wanted is None else wanted[start : start + size]
            pieces.append(self.game.sample(size, labels=given, generator=generator).float().cpu())
        return torch.cat(pieces)

    @torch.no_grad()
    def decode(self, latents: Tensor, labels: Tensor | Sequence[int | str] | None = None) -> Tensor:
        """Images float32 (N, C, H, W) in [-1, 1] of latents (N, Z); of a game with classes by default each in turn.

        Raises:
            UnavailableError: this game has no latents.
            UsageError: as for `sample`.
        """
        if not isinstance(self.game, Decodes):
            raise self._cannot("decode")
        given = None if labels is None else self.labels(labels, len(latents))
        return decode(self.game, latents.to(self.device, torch.float32), given).float().cpu()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that can be asked for; empty for a game without."""
        return self.game.classes if isinstance(self.game, Conditional) else ()

    def labels(self, wanted: Tensor | Sequence[int | str], count: int) -> Tensor:
        """Classes by name or number, in turn until there are `count` of them, as `Conditional.decode` takes them."""
        if not self.classes:
            raise UsageError(
                f"{self.config['recipe']} was not taught by class, so none can be asked for",
                where="--labels",
                fix="leave it out, or train a recipe with classes: saddle list",
            )
        if isinstance(wanted, Tensor) and wanted.is_floating_point():
            if wanted.shape != (count, len(self.classes)):
                raise UsageError(
                    f"shares of classes have shape {(count, len(self.classes))}, not {tuple(wanted.shape)}",
                    where="--labels",
                )
            return wanted
        numbers = [self._class(each) for each in (wanted.tolist() if isinstance(wanted, Tensor) else wanted)]
        if not numbers:
            raise UsageError("no class was asked for", where="--labels", fix=f"of {_some(self.classes)}")
        return torch.tensor(numbers)[torch.arange(count) % len(numbers)]

    def _class(self, wanted: int | str) -> int:
        if wanted in self.classes:
            return self.classes.index(str(wanted))
        number = int(wanted) if str(wanted).isascii() and str(wanted).isdigit() else -1
        if not 0 <= number < len(self.classes):
            raise UsageError(
                f"{self.run.name} knows no class {str(wanted)!r}",
                where="--labels",
                fix=f"its {len(self.classes)} classes are {_some(self.classes)}",
            )
        return number

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
        """Films a closed walk through the latent space; points move over the true density.

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
            UnavailableError: this game has no latents, or makes points and its run is not at hand.
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
        draw = self._draw()
        pictures = (draw(self.decode(latents)) for latents in frames)
        target = Path(path) if path else self.folder / f"{'explore' if kind == 'explore' else 'walk'}.webp"
        return film.write_film(target, pictures, fps=fps, max_bytes=max_bytes)

    def _draw(self) -> Callable[[Tensor], Image.Image]:
        """What makes a picture of what this game makes."""
        if not self.config["data"].get("toy"):
            return grid.grid
        truth = negatives.truth(self.folder)
        if truth is None:
            raise UnavailableError(
                f"{self.config['recipe']} makes points, which are drawn over what its run should learn",
                where=str(self.folder / "samples" / "truth.npz"),
                fix="name the run, not its model",
            )
        return lambda points: plane.portrait(truth, points.numpy(), dot=5.0)

    def _cannot(self, ability: str) -> UnavailableError:
        able = ", ".join(abilities(self.game)) or "nothing"
        return UnavailableError(f"{self.config['recipe']} cannot {ability}", fix=f"its abilities: {able}")


def _some(names: Sequence[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def load(
    name: str | Path,
    *,
    best: bool = False,
    device: str = "auto",
    out: str | Path = "runs",
    recipe_file: str | None = None,
) -> Trained:
    """A trained run, or a model folder that somebody gave you.

    Args:
        name: a run's path, its name, `last`, or the path of a model folder.
        best: the model that scored best while the run trained, instead of the newest.
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
    if best and not home.best.is_dir():
        raise MissingError(f"{home.name} kept no best model", where="--best", fix="saddle train … --eval-every N")
    game, config = model.load(home.best if best else given or home.model, recipe_file)
    return Trained(home, game, config, Plan(device).resolve().torch_device)
