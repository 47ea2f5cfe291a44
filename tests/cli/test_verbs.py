"""The verbs on a real run of four steps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from saddlepoint import recipe
from tests.cli.conftest import Call


def facts(saddle: Call, *line: object) -> dict[str, Any]:
    """The one JSON object of a `--json` call."""
    answer = saddle(*line, "--json")
    assert answer.code == 0, answer.err
    return dict(json.loads(answer.out))


def size_of(path: str | Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_list_names_every_recipe(saddle: Call) -> None:
    listed = facts(saddle, "list")["recipes"]
    assert [entry["name"] for entry in listed] == recipe.names()
    assert all(entry["summary"] for entry in listed)
    assert all(name in saddle("list").out for name in recipe.names())


def test_show_counts_the_parameters_of_the_tutorial(saddle: Call) -> None:
    shown = facts(saddle, "show", "dcgan", "--preset", "tutorial")
    assert shown["players"]["generator"]["parameters"] == 3_576_704
    assert shown["players"]["discriminator"]["parameters"] == 2_765_568
    layers = shown["networks"]["generator"]["layers"]
    assert layers[-1]["shape"] == ["N", 3, 64, 64]
    assert sum(layer["parameters"] for layer in layers) == 3_576_704
    assert shown["networks"]["discriminator"]["layers"][-1]["shape"] == ["N"]


def test_show_draws_tables_and_takes_options(saddle: Call) -> None:
    answer = saddle("show", "gan", "--size", "16", "--hidden", "32", "--channels", "1")
    assert answer.code == 0
    for words in (
        "The first GAN",
        "generator",
        "Linear",
        "N x 1 x 16 x 16",
        "player discriminator: ",
        "presets: plane, raschka",
    ):
        assert words in answer.out, words


def test_train_leaves_a_run_and_says_where(trained: Path) -> None:
    run = json.loads((trained / "run.json").read_text())
    assert (run["status"], run["step"], run["recipe"]) == ("done", 4, "gan")
    assert run["command"].startswith("saddle ")
    assert {"samples", "model", "checkpoints", "log.jsonl"} <= {path.name for path in trained.iterdir()}


def test_train_passes_its_flags_on(saddle: Call, pictures: Path) -> None:
    line = ("--size", "8", "--batch", "4", "--seed", "7", "--threads", "1", "--steps", "9", "--hidden", "16")
    planned = facts(saddle, "train", "gan", pictures, *line, "--dry-run", "--name", "dry")
    assert planned["steps"] == 9
    assert planned["players"]["generator"] == (100 + 1) * 16 + 17 * 16 + 17 * 3 * 64
    assert not Path("runs").exists(), "a dry run writes nothing"
    said = saddle("train", "gan", pictures, *line, "--dry-run").out
    assert "gan would play 9 steps" in said


def test_resume_of_a_finished_run_changes_nothing(saddle: Call, trained: Path) -> None:
    before = (trained / "model" / "model.safetensors").read_bytes()
    told = facts(saddle, "resume", trained)
    assert (told["status"], told["step"]) == ("done", 4)
    assert (trained / "model" / "model.safetensors").read_bytes() == before


def test_last_is_the_run_started_last(saddle: Call, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained.parent.parent)
    answer = saddle("resume", "last")
    assert answer.code == 0
    assert answer.out.startswith("tiny: done at step 4")
    assert "next: saddle sample tiny" in answer.out


def test_sample_makes_a_sheet_files_or_an_array(saddle: Call, trained: Path, tmp_path: Path) -> None:
    sheet = Path(facts(saddle, "sample", trained, "-n", 4)["path"])
    assert sheet.parent == trained / "generated"
    assert size_of(sheet) == (8 + 2 + 8, 8 + 2 + 8)
    said = saddle("sample", trained, "-n", "3", "--each", "--out", tmp_path / "each")
    assert said.out.strip() == str(tmp_path / "each")
    assert [path.name for path in sorted((tmp_path / "each").iterdir())] == ["000000.png", "000001.png", "000002.png"]
    saddle("sample", trained, "-n", "3", "--npz", "--out", tmp_path / "three.npz")
    with np.load(tmp_path / "three.npz") as archive:
        images = archive["images"]
    assert (images.dtype, images.shape) == (np.uint8, (3, 8, 8, 3))
    assert (images[2] == pixels_of(tmp_path / "each" / "000002.png")).all()


def test_samples_follow_the_seed(saddle: Call, trained: Path, tmp_path: Path) -> None:
    made = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        saddle("sample", trained, "-n", "2", "--seed", seed, "--out", tmp_path / f"{name}.png")
        made.append((tmp_path / f"{name}.png").read_bytes())
    assert made[0] == made[1] != made[2]


def test_walk_films_a_loop(saddle: Call, trained: Path, tmp_path: Path) -> None:
    line = ("-n", 4, "--states", 2, "--steps", 3, "--fps", 12, "--out", tmp_path / "w.webp")
    assert facts(saddle, "walk", trained, *line)["path"] == str(tmp_path / "w.webp")
    with Image.open(tmp_path / "w.webp") as film:
        assert film.size == (18, 18)
        assert film.n_frames == 6  # type: ignore[attr-defined]
    assert saddle("walk", trained, *line, "--kind", "linear").out.strip() == str(tmp_path / "w.webp")


def test_report_makes_the_page_anew(saddle: Call, trained: Path) -> None:
    (trained / "report.html").unlink(missing_ok=True)
    assert saddle("report", trained).out.strip() == str(trained / "report.html")
    assert "<html" in (trained / "report.html").read_text()


def test_data_check_counts_and_writes_its_report(saddle: Call, pictures: Path, tmp_path: Path) -> None:
    checked = facts(saddle, "data", "check", pictures, "--size", "8", "--report", tmp_path / "report.json")
    assert (checked["count"], checked["height"], checked["width"], checked["channels"]) == (12, 8, 8, 3)
    assert json.loads((tmp_path / "report.json").read_text())["usable"] == 12
    assert "12 pictures of 10x8, 3 channels" in saddle("data", "check", pictures).out


def test_data_flags_reach_the_policy(saddle: Call, pictures: Path) -> None:
    small = saddle("data", "check", pictures, "--size", "8", "--min-side", "9")
    assert "12 too small" in small.err
    assert facts(saddle, "data", "check", pictures, "--size", "8", "--channels", "1")["channels"] == 1
    stopped = saddle("data", "check", pictures, "--size", "8", "--crop", "stop")
    assert stopped.code == 66, stopped.err
    assert "12 another aspect ratio" in stopped.err


def test_data_show_draws_what_a_network_sees(saddle: Call, pictures: Path, tmp_path: Path) -> None:
    shown = facts(saddle, "data", "show", pictures, "--size", "8", "-n", "4", "--out", tmp_path / "sheet.png")
    assert size_of(shown["path"]) == (18, 18)


def test_classes_by_attribute_are_counted_shown_and_trained_on(saddle: Call, pictures: Path, tmp_path: Path) -> None:
    faces = shutil.copytree(pictures, tmp_path / "faces")
    rows = [f"{number}.png,{('no', 'yes')[number % 3 == 0]},{number % 2}" for number in range(12)]
    (faces / "labels.csv").write_text("\n".join(["picture,glasses,hair", *rows]))
    said = saddle("data", "check", faces).out
    assert "  attributes for --by, with the number of their values: glasses (2), hair (2)\n" in said
    assert "labels.csv tells of 2 attributes" in said
    assert "  2 classes: no 8, yes 4\n" in saddle("data", "check", faces, "--by", "glasses").out
    line = ("--by", "hair,glasses", "--size", "8")
    checked = facts(saddle, "data", "check", faces, *line, "--report", tmp_path / "report.json")
    assert checked["counts"] == checked["report"]["classes"]
    assert checked["counts"] == {
        f"glasses={g} hair={h}": n for g, h, n in (("no", 0, 4), ("no", 1, 4), ("yes", 0, 2), ("yes", 1, 2))
    }
    assert json.loads((tmp_path / "report.json").read_text())["classes"] == checked["counts"]
    shown = facts(saddle, "data", "show", faces, *line, "--out", tmp_path / "sheet.png")
    assert size_of(shown["path"]) == (18, 38)  # a class a row, as many of each as there are of the rarest
    small = ("--steps", "1", "--hidden", "8", "--latent", "4", "--batch", "4", "--threads", "1", "--out", tmp_path)
    run = facts(saddle, "train", "cgan", faces, *line, *small)
    record = json.loads(Path(run["folder"], "run.json").read_text())
    assert (record["source"]["by"], record["data"]["classes"]) == (["glasses", "hair"], list(checked["counts"]))
    refused = saddle("train", "cgan", faces, "--size", "8", *small)
    assert refused.code == 64
    assert "name an attribute with --by" in refused.err
    assert "unknown attribute ''" in saddle("train", "cgan", faces, "--by", "", "--size", "8", *small).err


def test_data_list_names_the_sets(saddle: Call) -> None:
    names = [entry["name"] for entry in facts(saddle, "data", "list")["sets"]]
    assert {"digits", "mnist", "avatars"} <= set(names)
    assert "avatars" in saddle("data", "list").out
