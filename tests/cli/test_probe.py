"""`saddle probe` on real runs of two steps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from saddlepoint.cli.probe import notes
from tests.cli.conftest import Call, played

QUICK = ("--labels", "6,12", "--seeds", "2", "--steps", "2")
SMALL = ("--size", "32", "--width", "4", "--latent", "4", "--batch", "4", "--steps", "2")


@pytest.fixture(scope="session")
def colored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on 48 noisy pictures whose `hue` is seen in a channel, and whose `luck` is not."""
    out = tmp_path_factory.mktemp("colored")
    random, table = np.random.default_rng(0), {}
    (out / "pictures").mkdir()
    for index in range(48):
        pixels = random.integers(0, 128, (16, 16, 3), dtype=np.uint8)
        pixels[:, :, index % 3] += 100
        Image.fromarray(pixels).save(out / "pictures" / f"{index}.png")
        table[f"{index}.png"] = {"hue": ("red", "green", "blue")[index % 3], "luck": str(random.integers(2))}
    (out / "pictures" / "labels.json").write_text(json.dumps(table))
    return played(out, "train", "dcgan", str(out / "pictures"), *SMALL)


@pytest.fixture
def run(colored: Path, tmp_path: Path) -> Path:
    """A copy of the run, to write into."""
    return Path(shutil.copytree(colored, tmp_path / "runs" / "tiny"))


def facts(saddle: Call, *line: object) -> dict[str, Any]:
    """The one JSON object of a `--json` call."""
    answer = saddle(*line, "--json")
    assert answer.code == 0, answer.err
    return dict(json.loads(answer.out))


def test_classes_are_learned_from_a_few_labels(saddle: Call, run: Path) -> None:
    found = facts(saddle, "probe", "tiny", "--by", "hue", *QUICK)
    assert [row["labels"] for row in found["rows"]] == [6, 12]
    for row in found["rows"]:
        assert list(row) == ["labels", "discriminator", "pixels", "untrained", "supervised"]
        assert all(len(row[name]["accuracies"]) == 2 for name in row if name != "labels")
    last = found["rows"][-1]
    # The mean of a channel differs by 100 of 255, with a deviation of 2.3: even two steps of training leave it there.
    assert min(last[name]["mean"] for name in ("discriminator", "pixels", "untrained")) > 0.9
    assert found["how"]["classes"] == ["blue", "green", "red"]
    assert found["how"]["features"] == 16 * (4 + 8 + 16)
    assert (found["how"]["asked"], found["how"]["seen in training"]) == (12, True)
    assert Path(found["path"]) == Path("runs/tiny/probe.json")
    assert json.loads((run / "probe.json").read_text())["rows"] == found["rows"]
    assert facts(saddle, "probe", "tiny", "--by", "hue", *QUICK)["rows"] == found["rows"], "the same again"


def test_a_table_says_how_sure_it_is(saddle: Call, run: Path, tmp_path: Path) -> None:
    line = ("probe", "tiny", "--by", "luck", "--labels", "12", "--seeds", "2", "--steps", "0", "-n", "7")
    shown = saddle(*line, "--out", tmp_path / "own.json").out.splitlines()
    assert shown[0].split() == ["labels", "discriminator", "pixels", "untrained"]
    assert shown[1].split()[0] == "12"
    assert shown[1].count("% ± ") == 3
    assert "of 7 pictures of pictures, which the run was trained on; guessing gets" in shown[2]
    assert shown[3] == str(tmp_path / "own.json")
    one = saddle("probe", "tiny", "--by", "luck", "--labels", "12", "--seeds", "1", "--steps", "0").out
    assert "±" not in one


def test_held_out_pictures_are_asked_about(saddle: Call, run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    # As if it had been trained with --holdout 0.25.
    record["source"]["holdout"] = 0.25
    record["data"]["fingerprint"] += "-less-0.25"
    (run / "run.json").write_text(json.dumps(record))
    answer = saddle("probe", "tiny", "--by", "hue", "--labels", "6", "--seeds", "1", "--steps", "0")
    assert answer.code == 0, answer.err
    assert "of 12 pictures of pictures, which the run never saw; guessing gets" in answer.out


def test_a_model_alone_is_asked_about_given_data(saddle: Call, run: Path) -> None:
    weights = run / "model" / "model.safetensors"
    line = ("--by", "hue", "--labels", "6", "--seeds", "1", "--steps", "0")
    assert saddle("probe", weights, *line).code == 66, "it does not know its data"
    answer = saddle("probe", weights, pictures_of(run), *line)
    assert answer.code == 0, answer.err
    assert "of 12 pictures of pictures; guessing gets" in answer.out
    assert (run / "model" / "probe.json").is_file()


def pictures_of(run: Path) -> Path:
    """What a run was trained on."""
    return Path(json.loads((run / "run.json").read_text())["source"]["spec"])


def test_labels_of_the_training_are_told() -> None:
    how = {"questions": "some, more, 9 of key 0", "asked": 9, "seen in training": None, "guessed": 0.5}
    assert list(notes({**how, "taught classes in training": True})) == [
        "of 9 pictures of some, more; guessing gets 50.0%",
        "its discriminator was taught these classes while it trained",
    ]


@pytest.mark.parametrize(
    ("line", "code", "said", "fix"),
    [
        (["tiny"], 64, "pictures has no classes", "--by with one of its attributes: hue, luck"),
        (["tiny", "--by", "shape"], 64, "unknown attribute 'shape'", "hue, luck"),
        (["tiny", "--by", "hue", "--labels", "2"], 64, "3 classes and 36 pictures", "--labels 30"),
        (["tiny", "--by", "hue", "--labels", "40"], 64, "3 classes and 36 pictures", "--labels 30"),
        (["tiny", "--labels", "few"], 64, '--labels must be a whole number 2..20000, got "few"', ""),
        (["tiny", "--seeds", "0"], 64, "--seeds must be a whole number 1..1000", ""),
        (["tiny", "nowhere"], 66, "data folder not found: nowhere", ""),
        (["tiny", "--test", "ring8", "--by", "hue"], 64, "ring8", ""),
        (["nowhere"], 66, "nowhere", ""),
    ],
)
def test_bad_words_get_one_clear_error(
    saddle: Call, run: Path, line: list[str], code: int, said: str, fix: str
) -> None:
    answer = saddle("probe", *line)
    assert answer.code == code, answer.err
    assert said in answer.err
    assert fix in answer.err
    assert not (run / "probe.json").exists()


def test_games_without_convolutions_are_refused(saddle: Call, trained: Path) -> None:
    answer = saddle("probe", trained)
    assert answer.code == 69
    assert "GAN looks at pictures without convolutions" in answer.err
