"""The house rules, read from the source: who imports whom, budgets, words that never appear."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "saddlepoint"
FILES = sorted(SOURCE.rglob("*.py"))

# A part of the house and the parts it may import, itself included where files of it share. `*` is everything.
FOUNDATION = {"errors"}
PURE = {"layers", "objectives", "penalties", "augment"}
RULES = {"game", "abilities", "schedules"}
RUNNING = {"averages", "checkpoint", "run", "ranks", "plan"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "layers": FOUNDATION | {"layers"},
    "objectives": FOUNDATION,
    "penalties": FOUNDATION,
    "augment": FOUNDATION,
    "networks": FOUNDATION | PURE | {"networks"},
    "packages": FOUNDATION,
    "metrics": FOUNDATION | PURE | {"networks", "metrics", "packages"},
    "data": FOUNDATION | PURE | {"networks", "data", "packages"},
    "game": FOUNDATION | {"abilities", "schedules"},
    "abilities": FOUNDATION,
    "schedules": FOUNDATION,
    "recipe": FOUNDATION | RULES,
    "averages": FOUNDATION | RULES,
    "checkpoint": FOUNDATION | RULES | RUNNING,
    "run": FOUNDATION | RULES | RUNNING,
    "ranks": FOUNDATION | RULES,
    "plan": FOUNDATION | RULES | RUNNING,
    "match": FOUNDATION | RULES | RUNNING,
    "sentinel": FOUNDATION | RULES | RUNNING | {"match"},
    "model": FOUNDATION | RULES | RUNNING | {"recipe", "data"},
    "observers": FOUNDATION | RULES | RUNNING | {"making", "match", "pictures"},
    "conditions": FOUNDATION,
    "diagnosis": FOUNDATION | {"conditions"},
    "physician": FOUNDATION
    | RULES
    | RUNNING
    | {"match", "observers", "metrics", "conditions", "diagnosis", "pictures"},
    "plane": FOUNDATION | RULES | RUNNING | {"match", "observers", "pictures", "data", "metrics"},
    "loop": FOUNDATION | RULES | RUNNING | {"match", "sentinel", "observers"},
    "making": FOUNDATION | RULES | RUNNING | {"latent", "layers"},
    "trained": FOUNDATION | RULES | RUNNING | {"model", "latent", "making", "pictures"},
    "session": FOUNDATION
    | RULES
    | RUNNING
    | {"match", "sentinel", "observers", "physician", "plane", "loop", "model", "recipe", "data"},
    "evaluation": FOUNDATION
    | RULES
    | RUNNING
    | {"data", "evaluation", "latent", "layers", "making", "metrics", "model", "observers", "pictures", "session"}
    | {"trained"},
    "latent": FOUNDATION | {"latent"},
    "pictures": FOUNDATION | {"latent", "pictures", "conditions"},
    "recipes": FOUNDATION | RULES | PURE | {"recipe", "networks", "data"},
    "api": {"*"},
    "__init__": {"api", "errors", "game", "abilities", "recipe", "plan", "trained"},
    "cli": {"*"},
    "__main__": {"cli"},
}
NOBODY_IMPORTS = {"cli", "studio"}

FILE_LINES, NETWORK_LINES, FUNCTION_LINES, RECIPE_LINES, OPTION_FIELDS, TRAIN_LINES = 300, 350, 40, 200, 15, 60
FORBIDDEN_NAMES = ("utils", "helpers", "misc", "common", "manager", "base_")
BRITISH = ("optimis", "normalis", "initialis", "regularis", "colour", "behaviour", "serialis", "labelled", "centre")
SHARED_OPTIONS = {
    target.id: node.value
    for node in ast.parse((SOURCE / "recipe.py").read_text()).body
    if isinstance(node, ast.Assign)
    for target in node.targets
    if isinstance(target, ast.Name)
}
HEAVY = {"torch", "numpy", "matplotlib", "PIL", "safetensors", "av", "mlxtend"}
# The one place that reads a published set of digits out of a pickle, through an unpickler that admits arrays only.
PICKLE_ALLOWED = {"data/frozen_pickle.py"}
# The one place that opens what others saved with torch: published weights, known by their checksum.
TORCH_LOAD_ALLOWED = {"metrics/features/weights.py"}


def part(path: Path) -> str:
    """The part of the house that a file belongs to: a folder of the package, or a file at its top."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and part of each import of our own, those inside functions and for type checking included."""
    package = ["saddlepoint", *path.relative_to(SOURCE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module.split(".") if node.module else [])]
            # `from . import x` names a part each; `from .x import y` one.
            names = [".".join([*module, alias.name]) for alias in node.names]
        else:
            continue
        for name in names:
            pieces = name.split(".")
            if pieces[0] == "saddlepoint" and len(pieces) > 1:
                yield node.lineno, pieces[1]


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=label)
def test_imports_only_what_its_part_may_import(path: Path) -> None:
    here = part(path)
    assert here in MAY_IMPORT, f"{here} is new: say in MAY_IMPORT what it may import"
    allowed = MAY_IMPORT[here]
    known = {part(file) for file in FILES}
    for line, name in imported(path):
        if name not in known:
            continue  # a name that `saddlepoint/__init__.py` offers
        assert name not in NOBODY_IMPORTS or here in (name, "__main__"), f"{label(path)}:{line}: nothing imports {name}"
        assert "*" in allowed or name in allowed, f"{label(path)}:{line}: {here} may not import {name}"


def test_no_recipe_imports_another() -> None:
    for path in (SOURCE / "recipes").glob("*.py"):
        names = {name for _, name in imported(path)}
        assert "recipes" not in names, label(path)


def test_import_rules_see_every_form_of_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "SOURCE", tmp_path)
    path = tmp_path / "layers" / "x.py"
    path.parent.mkdir()
    path.write_text(
        "import saddlepoint.loop\nfrom .. import run\nfrom ..cli.main import app\nfrom . import noise\n"
        "def f():\n    from saddlepoint import api\n    import torch.nn\n"
    )
    assert [name for _, name in imported(path)] == ["loop", "run", "cli", "layers", "api"]


@pytest.mark.parametrize("path", FILES, ids=label)
def test_files_and_functions_keep_their_budgets(path: Path) -> None:
    lines = path.read_text().count("\n")
    here = part(path)
    budget = {"networks": NETWORK_LINES, "recipes": RECIPE_LINES}.get(here, FILE_LINES)
    assert lines <= budget, f"{label(path)} has {lines} lines, at most {budget}"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = length_of(node)
            most = TRAIN_LINES if node.name == "train" else FUNCTION_LINES
            assert length <= most, f"{label(path)}:{node.lineno}: {node.name} has {length} lines, at most {most}"


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from `def` to its end, without its docstring: explaining costs nothing."""
    assert function.end_lineno is not None
    total = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        total -= first.end_lineno - first.lineno + 1
    return total


@pytest.mark.parametrize("path", sorted((SOURCE / "recipes").glob("[!_]*.py")), ids=label)
def test_options_are_few_and_described(path: Path) -> None:
    classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    options = next(node for node in classes if node.name == "Options")
    fields = [node for node in options.body if isinstance(node, ast.AnnAssign)]
    assert 0 < len(fields) <= OPTION_FIELDS, f"{label(path)} has {len(fields)} options, at most {OPTION_FIELDS}"
    for field in fields:
        if ast.unparse(field.annotation).startswith("recipe."):  # one that many have: `lr: recipe.Rate = 2e-4`
            shared = ast.unparse(field.annotation).removeprefix("recipe.")
            assert "description=" in ast.unparse(SHARED_OPTIONS[shared])
            continue
        assert isinstance(field.value, ast.Call), f"{label(path)}:{field.lineno}: write Field(default, description=…)"
        keywords = {keyword.arg for keyword in field.value.keywords}
        assert "description" in keywords, f"{label(path)}:{field.lineno}: no description"


@pytest.mark.parametrize("path", FILES, ids=label)
def test_file_names_say_what_is_inside(path: Path) -> None:
    for piece in path.relative_to(SOURCE).with_suffix("").parts:
        assert not [word for word in FORBIDDEN_NAMES if word in piece], label(path)


@pytest.mark.parametrize("path", sorted((SOURCE / "cli").glob("*.py")), ids=label)
def test_the_command_imports_nothing_heavy_at_module_level(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        assert not {name.split(".")[0] for name in names} & HEAVY, f"{label(path)}:{node.lineno}"


@pytest.mark.parametrize("path", FILES, ids=label)
def test_nothing_runs_code_from_data(path: Path) -> None:
    if path.relative_to(SOURCE).as_posix() in PICKLE_ALLOWED:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        where = f"{label(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            assert not {name.split(".")[0] for name in names} & {"pickle", "dill", "cloudpickle", "joblib"}, where
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            values = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert called not in {"eval", "exec", "os.system", "os.popen", "yaml.load"}, where
            if called == "torch.load":
                assert path.relative_to(SOURCE).as_posix() in TORCH_LOAD_ALLOWED, where
                assert values.get("weights_only") == "True", where
            assert values.get("shell", "False") == "False", where
            assert values.get("allow_pickle", "False") == "False", where


@pytest.mark.parametrize("path", FILES, ids=label)
def test_nothing_is_left_for_later(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text), label(path)
    for node in ast.walk(ast.parse(text)):
        where = f"{label(path)}:{getattr(node, 'lineno', 0)}"
        assert not (isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node)), where


@pytest.mark.parametrize("path", FILES, ids=label)
def test_spelling_is_american(path: Path) -> None:
    found = re.search(rf"\b\w*(?:{'|'.join(BRITISH)})\w*", path.read_text(), re.IGNORECASE)
    assert not found, f"{label(path)}: {found.group() if found else ''}"


def tracked() -> list[Path]:
    """Text files that git tracks, or all of ours where the project is no git checkout."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    paths = [ROOT / name for name in listed.stdout.splitlines()] or [*FILES, *ROOT.glob("*.*")]
    binary = {".png", ".webp", ".gif", ".mp4", ".npz", ".zip", ".safetensors", ".jpg"}
    return [path for path in paths if path.is_file() and path.suffix not in binary]


def test_no_tracked_file_names_a_machine() -> None:
    # Spelled in pieces, so that this file does not name them itself.
    forbidden = ["/wor" + "k/", "/tm" + "p/v", "/opt/" + "wheels", "/opt/" + "pypi", "pypi" + ".org", "/ro" + "ot/"]
    for path in tracked():
        text = path.read_text(errors="replace")
        assert not [word for word in forbidden if word in text], label(path)


def test_help_does_not_import_torch() -> None:
    script = (
        "import sys\nfrom saddlepoint.cli import run\ncode = run(['--help'])\n"
        f"print(code, sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0 []", done.stderr
    assert "train" in done.stdout


def test_importing_the_package_is_cheap() -> None:
    script = "import sys, saddlepoint\nprint('torch' in sys.modules, 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
