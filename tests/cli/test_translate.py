"""`saddle translate`, and all other verbs on runs that learned to translate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from saddlepoint import load
from saddlepoint.errors import UsageError
from tests.cli.conftest import Call, played

RECIPE = Path(__file__).parent.parent / "toys" / "translating.py"
SIDE = 12


def learned(out: Path, form: str, *more: str) -> Path:
    """The folder of a run of two steps on ten pairs, `day` and its negative `night`."""
    random = np.random.default_rng(0)
    for index in range(10):
        pixels = random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        for side, each in (("day", pixels), ("night", 255 - pixels)):
            (out / "data" / side).mkdir(parents=True, exist_ok=True)
            Image.fromarray(each).save(out / "data" / side / f"{index}.png")
    line = ["train", str(RECIPE), str(out / "data"), "--size", str(SIDE), "--form", form, "--batch", "4"]
    return played(out, *line, "--steps", "2", *more)


@pytest.fixture(scope="session")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(tmp_path_factory.mktemp("paired"), "pairs", "--holdout", "0.3")


@pytest.fixture(scope="session")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(tmp_path_factory.mktemp("cycle"), "cycle")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two pictures of the same name, one deeper, of odd sizes."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    random = np.random.default_rng(1)
    Image.fromarray(random.integers(0, 256, (13, 17, 3), dtype=np.uint8)).save(folder / "a.jpg")
    Image.fromarray(random.integers(0, 256, (9, 30), dtype=np.uint8)).save(folder / "deep" / "b.png")
    return folder


def facts(saddle: Call, *line: object) -> dict[str, Any]:
    """The one JSON object of a `--json` call."""
    answer = saddle(*line, "--recipe", RECIPE, "--json")
    assert answer.code == 0, answer.err
    return dict(json.loads(answer.out))


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_a_run_shows_what_goes_in_and_what_comes_out(paired: Path, cycle: Path) -> None:
    for run, columns in ((paired, ["day", "to night", "night"]), (cycle, None)):
        layout = json.loads((run / "samples" / "layout.json").read_text())
        heads = columns or ["day", "to night", "and back", "night", "to day", "and back"]
        assert layout == {"columns": heads, "cell": [SIDE, SIDE]}
        wide, high = len(heads) * (SIDE + 2) - 2, 8 * (SIDE + 2) - 2
        assert {size_of(path) for path in (run / "samples").glob("step-*.png")} == {(wide, high)}
        assert not (run / "real_vs_fake.png").exists()
        assert (run / "evolution.png").exists()
        assert " · ".join(heads) in (run / "report.html").read_text()
        assert "saddle translate THIS_FOLDER" in (run / "model" / "README.md").read_text()
        log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        assert [line["event"] for line in log if "event" in line] == [], "the physician has nothing to say"


def test_the_first_column_is_the_data_and_the_last_the_right_answer(paired: Path) -> None:
    first, last = (np.asarray(Image.open(paired / "samples" / f"step-00000{step}.png")).astype(int) for step in (0, 2))
    source, target = first[:, :SIDE], first[:, -SIDE:]
    rows = np.arange(len(first)) % (SIDE + 2) < SIDE  # without the white between them
    assert np.abs(source[rows] + target[rows] - 255).max() <= 1
    assert (first[:, :SIDE] == last[:, :SIDE]).all()


def test_a_picture_keeps_its_size_and_a_seed_decides(saddle: Call, paired: Path, photos: Path) -> None:
    found = facts(saddle, "translate", paired, photos / "a.jpg", "one.png")
    assert (found["count"], found["skipped"], found["path"]) == (1, {}, "one.png")
    assert size_of(Path("one.png")) == (17, 13)
    facts(saddle, "translate", paired, photos / "a.jpg", "again.png")
    facts(saddle, "translate", paired, photos / "a.jpg", "other.png", "--seed", "1")
    assert Path("one.png").read_bytes() == Path("again.png").read_bytes()
    assert Path("one.png").read_bytes() != Path("other.png").read_bytes()
    facts(saddle, "translate", paired, photos / "a.jpg", "small.png", "--size", "26")
    assert size_of(Path("small.png")) == (34, 26)
    # A name without a picture's suffix is a folder.
    assert facts(saddle, "translate", paired, photos / "a.jpg", "into")["path"] == "into/a.png"


def test_a_folder_keeps_its_names(saddle: Call, paired: Path, photos: Path) -> None:
    shutil.copy(photos / "a.jpg", photos / "a.bmp")  # what is inside decides
    (photos / "c.png").write_text("no picture")
    answer = saddle("translate", paired, photos, "out", "--recipe", RECIPE, "--max-bad", "30%")
    assert answer.code == 0, answer.err
    assert answer.err.strip() == "1 left out, first c.png: not an image"
    written = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*.png"))
    assert written == ["a.bmp.png", "a.jpg.png", "deep/b.png"]
    assert size_of(Path("out/deep/b.png")) == (30, 9)
    refused = saddle("translate", paired, photos, "out", "--recipe", RECIPE)
    assert refused.code == 65
    assert "1 of 4 images unusable" in refused.err


def test_a_sheet_shows_input_beside_output(saddle: Call, paired: Path, cycle: Path, photos: Path) -> None:
    wide = {}
    for name, run, more in (("one", paired, []), ("both", cycle, []), ("back", cycle, ["--back"])):
        found = facts(saddle, "translate", run, photos, f"{name}.png", "--sheet", *more)
        assert found["count"] == 2
        wide[name] = size_of(Path(f"{name}.png"))[0]
    assert wide["both"] == wide["back"] > wide["one"]


def test_back_is_another_way(saddle: Call, cycle: Path, paired: Path, photos: Path) -> None:
    facts(saddle, "translate", cycle, photos / "a.jpg", "there.png")
    assert facts(saddle, "translate", cycle, photos / "a.jpg", "back.png", "--back")["back"] is True
    assert Path("there.png").read_bytes() != Path("back.png").read_bytes()
    answer = saddle("translate", paired, photos / "a.jpg", "no.png", "--back", "--recipe", RECIPE)
    assert answer.code == 69
    assert "cannot translate back" in answer.err
    assert "its abilities: translate\n" in answer.err
    assert not Path("no.png").exists()


def test_verbs_and_games_that_do_not_fit_say_so(saddle: Call, paired: Path, trained: Path, photos: Path) -> None:
    answer = saddle("translate", trained, photos, "out")
    assert answer.code == 69
    assert "gan cannot translate" in answer.err
    assert "its abilities: sample, decode, score" in answer.err
    for verb in ("sample", "walk"):
        answer = saddle(verb, paired, "--recipe", RECIPE)
        assert answer.code == 69
        assert "its abilities: translate" in answer.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("photos", "photos/out"), "OUT lies in IN"),
        (("photos/a.jpg", "photos/a.jpg"), "OUT lies in IN"),
        (("photos", "out.png"), "many pictures need a folder"),
        (("photos", "out", "--sheet"), "a sheet is one picture"),
        (("nowhere", "out"), "nothing to look at in nowhere"),
        (("camera:front", "out.png"), "cameras have numbers"),
    ],
)
def test_places_that_do_not_fit_are_refused(
    saddle: Call, paired: Path, photos: Path, line: tuple[str, ...], words: str
) -> None:
    before = sorted(photos.rglob("*"))
    answer = saddle("translate", paired, *line, "--recipe", RECIPE)
    assert answer.code in (64, 66)
    assert words in answer.err
    assert sorted(photos.rglob("*")) == before


def test_a_run_that_is_done_says_what_to_do_next(saddle: Call, paired: Path) -> None:
    answer = saddle("resume", paired, "--recipe", RECIPE)
    assert answer.code == 0, answer.err
    assert "next: saddle translate tiny IN OUT" in answer.out


def test_python_takes_tensors(paired: Path) -> None:
    import torch

    run = load(paired, recipe_file=str(RECIPE))
    images = torch.zeros(3, 3, 7, 5)
    assert run.translate(images).shape == images.shape
    with pytest.raises(UsageError, match="cannot be translated"):
        run.translate(images[:, :1])


def test_pairs_are_measured_where_they_were_held_out(saddle: Call, paired: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(paired, tmp_path / "runs" / "tiny"))
    found = facts(saddle, "eval", run, "--metrics", "l1,ssim")
    assert [score["name"] for score in found["scores"]] == ["l1", "ssim"]
    assert {score["against"] for score in found["scores"]} == {"held out"}
    assert found["scores"][0]["generated"] == 3
    assert (run / "evaluation" / "evaluation.html").exists()
    refused = saddle("eval", run, "--metrics", "fd", "--recipe", RECIPE)
    assert refused.code == 64
    assert "one of l1, psnr, ssim, perceptual" in refused.err


def test_two_sets_are_measured_both_ways(saddle: Call, cycle: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(cycle, tmp_path / "runs" / "tiny"))
    found = facts(saddle, "eval", run, "--network", "pixels")
    names = [score["name"] for score in found["scores"]]
    assert names == [
        "fd_pixels", "fd_pixels_untranslated", "cycle_l1",
        "fd_pixels_back", "fd_pixels_untranslated_back", "cycle_l1_back",
    ]  # fmt: skip
    assert {score["against"] for score in found["scores"]} == {"training"}
    refused = saddle("eval", run, "--by-class", "--recipe", RECIPE)
    assert refused.code == 64
