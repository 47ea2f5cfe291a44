"""The documents: links lead somewhere, commands parse, Python compiles, examples run."""

from __future__ import annotations

import ast
import contextlib
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.main import get_command

from saddlepoint import cli, errors, recipe

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
# What stands for a thing of the reader's own in a command.
PLACEHOLDERS = re.compile(r"\b(RUN|RECIPE|DATA|NAME|STYLE|FILE|FOLDER|THIS_FOLDER)\b|…|<")


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands(text: str) -> Iterator[str]:
    """Every `saddle …` in a code block or between backticks, without its comment."""
    for line in text.splitlines():
        if line.startswith("    saddle "):
            yield line.split("#")[0].strip()
        yield from re.findall(r"`(saddle [^`]+)`", line)


MENTIONED = sorted(
    {(label(path), command) for path in [*PAGES, *EXAMPLES] for command in commands(path.read_text(encoding="utf-8"))}
)


@pytest.mark.parametrize("path", PAGES, ids=label)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text):
        if not target.startswith(("http://", "https://", "#")):
            assert (path.parent / target.partition("#")[0]).exists(), f"{label(path)}: {target}"


@pytest.mark.parametrize("path", PAGES, ids=label)
def test_python_in_documents_compiles(path: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        ast.parse(textwrap.dedent(block))


@pytest.mark.parametrize(("page", "command"), MENTIONED, ids=[f"{page}: {command}" for page, command in MENTIONED])
def test_commands_in_documents_parse(page: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "examples")  # where ./my_gan.py is
    words = shlex.split(command)[1:]
    group, verb = get_command(cli.app), words.pop(0)
    known = group.commands  # type: ignore[attr-defined]
    if verb == "data" and words:
        known, verb = known["data"].commands, words.pop(0)
    assert verb in known, f"{page}: there is no verb {verb}"
    if not words or PLACEHOLDERS.search(command):
        return
    words = [word.replace("examples/", "./") for word in words]
    # Asking for help ends the parsing early.
    with contextlib.suppress(typer.Exit), known[verb].make_context(verb, words):
        pass


def test_the_documents_mention_commands_at_all() -> None:
    assert len(MENTIONED) > 10


def test_the_readme_lists_every_recipe_and_preset() -> None:
    rows = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    for name in recipe.names():
        row = next((row for row in rows if row.startswith(f"| `{name}` ")), None)
        assert row, f"README.md has no row for {name}"
        for preset in recipe.find(name).presets:
            assert f"`{preset}`" in row, f"README.md does not name the preset {preset} of {name}"


def test_the_readme_lists_every_exit_code() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SaddleError)]
    for code in {kind.exit_code for kind in kinds}:
        assert re.search(rf"\b{code} [a-z]", text), f"README.md does not explain exit code {code}"


def test_pages_made_from_docstrings_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, "docs/make.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"run `make docs`: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("path", EXAMPLES, ids=label)
def test_examples_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    if "class Options" not in path.read_text(encoding="utf-8"):
        subprocess.run([sys.executable, str(path), "2"], check=True, timeout=120)
        return
    pixels = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 3), dtype=np.uint8)
    np.savez("pictures.npz", images=pixels)
    smoke = [f"--{name.replace('_', '-')}={value}" for name, value in recipe.find(str(path)).smoke.items()]
    assert cli.run(["train", str(path), "pictures.npz", "--name", "own", *smoke]) == 0
    assert cli.run(["sample", "own", "-n", "2", "--recipe", str(path), "--out", "two.png"]) == 0
    assert Path("two.png").stat().st_size > 0
