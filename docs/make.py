"""Makes docs/recipes/ and docs/reference/ from the docstrings, so that they cannot say anything else.

python docs/make.py           writes them
python docs/make.py --check   only tells whether they are true
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from saddlepoint import recipe

HERE = Path(__file__).parent
REFERENCE = {
    "python": ("saddlepoint.api", "saddlepoint.trained"),
    "game": ("saddlepoint.game", "saddlepoint.abilities", "saddlepoint.schedules", "saddlepoint.plan"),
    "losses": ("saddlepoint.objectives", "saddlepoint.penalties"),
    "tricks": (
        "saddlepoint.layers.spectral",
        "saddlepoint.layers.packing",
        "saddlepoint.layers.minibatch",
        "saddlepoint.layers.virtual",
        "saddlepoint.layers.replay",
        "saddlepoint.layers.noise",
        "saddlepoint.layers.history",
        "saddlepoint.augment",
    ),
    "metrics": (
        "saddlepoint.metrics.frechet",
        "saddlepoint.metrics.kernel",
        "saddlepoint.metrics.inception",
        "saddlepoint.metrics.precision",
        "saddlepoint.metrics.memory",
        "saddlepoint.metrics.two_sample",
        "saddlepoint.metrics.classify",
        "saddlepoint.metrics.svm",
        "saddlepoint.metrics.bootstrap",
        "saddlepoint.metrics.patches",
        "saddlepoint.metrics.ssim",
        "saddlepoint.metrics.perceptual",
        "saddlepoint.metrics.modes",
        "saddlepoint.metrics.distances",
    ),
    "features": (
        "saddlepoint.metrics.features.catalog",
        "saddlepoint.metrics.features.extractor",
        "saddlepoint.metrics.resize",
    ),
    "evaluation": (
        "saddlepoint.evaluation.evaluate",
        "saddlepoint.evaluation.comparison",
        "saddlepoint.evaluation.sides",
        "saddlepoint.evaluation.families",
        "saddlepoint.evaluation.labeled",
        "saddlepoint.evaluation.by_class",
        "saddlepoint.evaluation.tradeoff",
        "saddlepoint.evaluation.activations",
        "saddlepoint.evaluation.probe",
    ),
    "toys": ("saddlepoint.data.toys",),
    "latent": (
        "saddlepoint.latent.walk",
        "saddlepoint.latent.truncate",
        "saddlepoint.latent.classes",
        "saddlepoint.latent.tours",
    ),
    "errors": ("saddlepoint.errors",),
}


def pages() -> dict[Path, str]:
    """Every made page by its path."""
    made = {HERE / "recipes" / f"{name}.md": recipe_page(name) for name in recipe.names()}
    return {**made, **{HERE / "reference" / f"{name}.md": reference_page(names) for name, names in REFERENCE.items()}}


def recipe_page(name: str) -> str:
    """A recipe: its docstring, its options, its presets."""
    found = recipe.find(name)
    title, _, body = inspect.cleandoc(found.module.__doc__ or "").partition("\n")
    rows = [f"| `--{key.replace('_', '-')}` | {_default(field)} | {field.description} |"
            for key, field in found.options.model_fields.items()]  # fmt: skip
    presets = [f"- `--preset {preset}`: {_values(values)}" for preset, values in found.presets.items()]
    return "\n".join(
        [f"# {name}", "", title, "", "```text", body.strip(), "```", "", "## Options", "",
         "| flag | default | meaning |", "|---|---|---|", *rows, "", "## Presets", "", *presets, ""]
    )  # fmt: skip


def reference_page(modules: tuple[str, ...]) -> str:
    """The public names of some modules, with their docstrings."""
    parts = []
    for path in modules:
        module = importlib.import_module(path)
        parts += [f"# {path}", "", inspect.cleandoc(module.__doc__ or ""), ""]
        for name, value in vars(module).items():
            own = getattr(value, "__module__", None) == path and not name.startswith("_")
            if own and (inspect.isclass(value) or inspect.isfunction(value)):
                parts += _entry(name, value, "##")
                methods = vars(value).items() if inspect.isclass(value) else ()
                for method, function in methods:
                    if inspect.isfunction(function) and not method.startswith("_") and function.__doc__:
                        parts += _entry(f"{name}.{method}", function, "###")
    return "\n".join(parts)


def _entry(name: str, value: Any, level: str) -> list[str]:
    return [f"{level} {name}", "", "```text", inspect.cleandoc(value.__doc__ or ""), "```", ""]


def _default(field: Any) -> str:
    return "none" if field.default is None else f"`{field.default}`"


def _values(values: Any) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or "the defaults"


def main() -> None:
    """Writes the pages, or tells which are not true."""
    made = pages()
    if "--check" in sys.argv:
        stale = [path.name for path, text in made.items() if not path.exists() or path.read_text() != text]
        sys.exit(f"run python docs/make.py: {', '.join(stale)} not current" if stale else 0)
    for path, text in made.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
