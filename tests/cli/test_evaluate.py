"""`saddle eval` and `saddle compare` on a real run of four steps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Call

LOOK = ("--network", "pixels", "-n", "12")


def facts(saddle: Call, *line: object) -> dict[str, Any]:
    """The one JSON object of a `--json` call."""
    answer = saddle(*line, "--json")
    assert answer.code == 0, answer.err
    return dict(json.loads(answer.out))


def folder_of(tmp_path: Path, name: str, seed: int, side: int = 12) -> Path:
    """Twelve pictures of noise."""
    folder = tmp_path / name
    folder.mkdir()
    for index, pixels in enumerate(np.random.default_rng(seed).integers(0, 256, (12, side, side, 3), np.uint8)):
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run, to write into."""
    return Path(shutil.copytree(trained, tmp_path / "runs" / "tiny"))


def test_a_run_is_measured_against_its_own_data(saddle: Call, run: Path) -> None:
    found = facts(saddle, "eval", "tiny", *LOOK)
    scores = {score["name"]: score for score in found["scores"]}
    assert {"fd_pixels", "kd_pixels", "precision_pixels", "authenticity_pixels"} <= set(scores)
    assert all(score["against"] in ("training", "") for score in scores.values())
    assert scores["fd_pixels"]["real"] == scores["fd_pixels"]["generated"] == 12
    assert "singular" in scores["fd_pixels"]["note"]
    assert found["skipped"]["is"] == "pixels has no classes, so no inception score"
    assert Path(found["path"]) == Path("runs/tiny/evaluation/evaluation.html")
    assert found["how"]["step"] == 4
    assert json.loads((run / "evaluation" / "evaluation.json").read_text())["scores"] == found["scores"]


def test_it_measures_the_same_again(saddle: Call, run: Path) -> None:
    first, second = (facts(saddle, "eval", "tiny", *LOOK)["scores"] for _ in range(2))
    assert first == second
    assert facts(saddle, "eval", "tiny", *LOOK, "--seed", "1")["scores"] != first


def test_what_a_run_held_out_stands_beside(saddle: Call, pictures: Path) -> None:
    line = ["train", "gan", pictures, "--size", "8", "--hidden", "8", "--latent", "4", "--batch", "4", "--steps", "2"]
    assert saddle(*line, "--holdout", "0.25", "--name", "held").code == 0
    found = facts(saddle, "eval", "held", *LOOK, "--metrics", "kd")
    assert [(score["against"], score["real"]) for score in found["scores"]] == [("training", 9), ("held out", 3)]


def test_a_table_and_the_page_are_shown(saddle: Call, run: Path) -> None:
    answer = saddle("eval", "tiny", *LOOK, "--metrics", "fd,precision")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].split()[:2] == ["score", "value"]
    assert [line.split()[0] for line in lines[1:6]] == [
        "fd_pixels", "precision_pixels", "recall_pixels", "density_pixels", "coverage_pixels",
    ]  # fmt: skip
    assert lines[-1] == "runs/tiny/evaluation/evaluation.html"


def test_folders_are_measured_against_each_other(saddle: Call, tmp_path: Path) -> None:
    one, other = folder_of(tmp_path, "one", 0), folder_of(tmp_path, "other", 1)
    found = facts(saddle, "eval", one, "--against", other, *LOOK)
    assert (found["what"], found["against"]) == ("one", ["other"])
    same = facts(saddle, "eval", one, "--against", one, *LOOK, "--metrics", "memory", "--out", tmp_path / "here")
    assert same["scores"][0]["value"] == 0, "every picture is a copy of itself"
    assert Path(same["path"]) == tmp_path / "here" / "evaluation.html"


def test_points_have_scores_of_their_own(saddle: Call) -> None:
    assert saddle("train", "gan", "ring8:256", "--steps", "2", "--batch", "16", "--name", "points").code == 0
    names = {score["name"] for score in facts(saddle, "eval", "points", "-n", "200")["scores"]}
    assert {"modes", "high_quality", "reverse_kl", "sliced_wasserstein", "fd"} <= names


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (["nowhere"], 66, "data folder not found: nowhere"),
        (["tiny", "--metrics", "fdd"], 64, "did you mean fd?"),
        (["tiny", "--metrics", "ppl,modes"], 64, "not measured of pictures"),
        (["tiny", "--network", "resnet"], 64, "no feature network is called 'resnet'"),
        (["tiny", "--network", "inception"], 69, "no weights for inception"),
        (["tiny", "--against", "nothing"], 66, "data folder not found"),
        (["tiny", "--against", "ring8"], 64, "points and pictures cannot be compared"),
        (["tiny", "--metrics", "ms_ssim"], 64, "at least 11 pixels each way"),
        (["tiny", "--size", "16"], 64, "have its size"),
        (["tiny", "-n", "1"], 64, "-n"),
        (["pictures"], 64, "measured against others"),
        (["pictures", "--against", "pictures", "--best"], 64, "only a run that is named has a best model"),
        (["tiny", "--by-class"], 64, "share no class of 20 pictures or more"),
    ],
)
def test_bad_words_get_one_clear_error(
    saddle: Call, run: Path, pictures: Path, line: list[str], code: int, said: str
) -> None:
    words = [str(pictures) if word == "pictures" else word for word in line]
    answer = saddle("eval", *words, *([] if "-n" in words else LOOK[2:]), *([] if "--network" in words else LOOK[:2]))
    assert answer.code == code, answer.err
    assert said in answer.err
    assert not (run / "evaluation").exists()


@pytest.fixture
def classy(conditional: Path, tmp_path: Path) -> Path:
    """A copy of a run with classes, to write into."""
    return Path(shutil.copytree(conditional, tmp_path / "runs" / "classy"))


def test_each_class_is_measured(saddle: Call, classy: Path) -> None:
    line = ("eval", classy, "--network", "pixels", "--side", "8", "-n", "90", "--metrics", "kd,accuracy", "--by-class")
    # A class has ten pictures only, of which there have to be twenty.
    assert "share no class of 20" in saddle(*line).err
    doubled = classy.parent / "more"
    for picture in sorted((conditional_pictures(classy)).rglob("*.png")):
        for copy in range(2):
            target = doubled / picture.parent.name / f"{picture.stem}-{copy}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, target)
    found = facts(saddle, *line, "--against", doubled)
    assert list(found["by_class"]["more"]) == ["ant", "bee", "cow"]
    assert {score["name"] for score in found["by_class"]["more"]["bee"]} == {"kd_pixels_8", "accuracy_pixels_8"}
    shown = saddle(*line, "--against", doubled).out
    assert "by class, against more" in shown
    assert [row.split()[0] for row in shown.split("by class, against more")[1].splitlines()[1:5]] == [
        "class", "ant", "bee", "cow",
    ]  # fmt: skip
    assert "By class" in Path(found["path"]).read_text()


def conditional_pictures(run: Path) -> Path:
    """What a run was trained on."""
    return Path(json.loads((run / "run.json").read_text())["source"]["spec"])


def test_truncations_are_swept(saddle: Call, classy: Path) -> None:
    line = ("tradeoff", classy, "--network", "pixels", "-n", "12", "--thresholds", "0.1,1")
    found = facts(saddle, *line)
    assert [point["truncation"] for point in found["points"]] == [None, 1, 0.1]
    assert [Path(path).name for path in found["paths"]] == ["tradeoff.json", "curve.png", "sheet.png", "film.webp"]
    assert all(Path(path).parent == classy / "tradeoff" for path in found["paths"])
    lines = saddle(*line, "--out", "here").out.splitlines()
    assert lines[0].split()[0] == "truncation"
    assert [row.split()[0] for row in lines[1:4]] == ["none", "1", "0.1"]
    assert lines[-1] == "here/film.webp"


@pytest.mark.parametrize("text", ["0", "nan", "inf", "-5", "1e308", "1,,2", "abc"])
def test_thresholds_that_are_none(saddle: Call, classy: Path, text: str) -> None:
    answer = saddle("tradeoff", classy, "--thresholds", text, *LOOK)
    assert answer.code == 64
    assert "--thresholds must be a number > 0 and <= 8" in answer.err


def test_data_that_changed_are_told(saddle: Call, run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    record["data"]["fingerprint"] = "other"
    (run / "run.json").write_text(json.dumps(record))
    answer = saddle("eval", "tiny", *LOOK)
    assert answer.code == 65
    assert "not what they were" in answer.err
    assert "--against" in answer.err


def test_runs_are_compared(saddle: Call, run: Path) -> None:
    shutil.copytree(run, run.parent / "other")
    assert saddle("eval", "tiny", *LOOK, "--metrics", "fd").code == 0
    found = facts(saddle, "compare", "tiny", "other")
    assert found["runs"] == ["tiny", "other"]
    assert Path(found["path"]).is_file()
    assert found["scores"]["fd_pixels (training)"]["other"] is None
    shown = saddle("compare", "tiny", "other", "--out", "page.html").out.splitlines()
    assert shown[0].split() == ["score", "tiny", "other"]
    assert shown[-1] == "page.html"


@pytest.mark.parametrize("line", [["tiny"], ["tiny", "tiny"]])
def test_one_run_cannot_be_compared(saddle: Call, run: Path, line: list[str]) -> None:
    answer = saddle("compare", *line)
    assert answer.code == 64
    assert "two different runs" in answer.err
