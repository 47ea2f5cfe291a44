"""Every verb's bad input gets one clear message: exit code, what, where, how to fix; never a traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from saddlepoint import recipe
from tests.cli.conftest import Answer, Call

OWN_FLAGS = ", ".join("--" + name.replace("_", "-") for name in recipe.find("gan").options.model_fields)
OWN_FLAGS = OWN_FLAGS.replace(", --steps, --epochs", "")

# By what is typed: exit code, then the message to the letter.
GOLDEN: list[tuple[str, int, str]] = [
    ("qqq", 64, "error[usage]: no such command 'qqq'\n  where: saddle\n  fix: see saddle --help"),
    (
        "trian",
        64,
        "error[usage]: no such command 'trian'. Did you mean 'train'?\n  where: saddle\n  fix: see saddle --help",
    ),
    ("train", 64, "error[usage]: missing argument 'RECIPE'\n  where: saddle train\n  fix: see saddle train --help"),
    (
        "train gan digits more",
        64,
        "error[usage]: got unexpected extra argument(s) (more)\n  where: saddle train\n  fix: see saddle train --help",
    ),
    (
        "train gna digits",
        66,
        "error[missing]: no recipe 'gna'; did you mean 'gan'?\n  where: RECIPE\n"
        f"  fix: choose one of {', '.join(recipe.names())}, or give a file of your own: ./my_gan.py",
    ),
    (
        "train ./no_gan.py digits",
        66,
        "error[missing]: no recipe file no_gan.py\n  where: RECIPE\n  fix: check the path",
    ),
    (
        "train gan digits --bach 7",
        64,
        "error[usage]: gan has no option --bach; did you mean --batch?\n  where: --bach\n"
        f"  fix: its own are {OWN_FLAGS}; for all flags see --help",
    ),
    *(
        (
            f"train gan digits --batch {text}",
            64,
            f'error[usage]: --batch must be a whole number 1..65536, got "{text}"\n  where: --batch\n'
            "  fix: --batch 128, the default (images per step)",
        )
        for text in ("0", "-5", "1e9", "abc")
    ),
    *(
        (
            f"train gan digits --lr {text}",
            64,
            f'error[usage]: --lr must be a number > 0 and <= 1, got "{text}"\n  where: --lr\n'
            "  fix: --lr 0.0002, the default (learning rate of both players)",
        )
        for text in ("0.002,", "nan", "-1", "2")
    ),
    (
        "train dcgan digits --size 100",
        64,
        'error[usage]: --size must be 32, 64 or 128, got "100"\n  where: --size\n'
        "  fix: --size 64, the default (height and width of pictures in pixels)",
    ),
    (
        "train gan digits --steps 1e9",
        64,
        'error[usage]: --steps must be a whole number 1..1000000000, got "1e9"\n  where: --steps\n'
        "  fix: write it in digits, within these bounds",
    ),
    (
        "train gan digits --steps",
        64,
        "error[usage]: option '--steps' requires an argument\n  where: --steps\n  fix: see saddle --help",
    ),
    (
        "train gan digits --steps 5 --epochs 1",
        64,
        "error[usage]: --steps and --epochs exclude each other\n  where: --epochs\n  fix: give one of them",
    ),
    (
        "train gan digits --device tpu",
        64,
        'error[usage]: --device must be auto, cpu or cuda, got "tpu"\n  where: --device\n  fix: --device auto',
    ),
    (
        "train gan digits --on-bad cry",
        64,
        'error[usage]: --on-bad must be skip or stop, got "cry"\n  where: --on-bad\n  fix: --on-bad skip',
    ),
    (
        "train gan digits --devices 2 --batch 7",
        64,
        "error[usage]: batch 7 does not divide by 2 processes\n  where: --batch\n  fix: --batch 6 or --batch 8",
    ),
    (
        "train gan digits --preset raschke",
        64,
        "error[usage]: gan has no preset 'raschke'; did you mean 'raschka'?\n  where: --preset\n"
        "  fix: choose one of plane, raschka",
    ),
    (
        "train gan",
        66,
        "error[missing]: no data to train on\n  where: DATA\n"
        "  fix: name a folder, a zip, an npz, or a set: saddle data list",
    ),
    ("show", 64, "error[usage]: missing argument 'RECIPE'\n  where: saddle show\n  fix: see saddle show --help"),
    (
        "sample last -n 0",
        64,
        'error[usage]: -n must be a whole number 1..1000000, got "0"\n  where: -n\n'
        "  fix: write it in digits, within these bounds",
    ),
    (
        "sample last --seed -1",
        64,
        'error[usage]: --seed must be a whole number 0..4294967295, got "-1"\n  where: --seed\n'
        "  fix: write it in digits, within these bounds",
    ),
    (
        "sample last --each --npz",
        64,
        "error[usage]: --each and --npz exclude each other\n  where: --npz\n  fix: give one of them",
    ),
    (
        "walk last --kind moonwalk",
        64,
        'error[usage]: --kind must be slerp, linear or explore, got "moonwalk"\n  where: --kind\n  fix: --kind slerp',
    ),
    (
        "data get unknown",
        64,
        "error[usage]: unknown set 'unknown'\n  where: unknown\n"
        "  fix: one of: avatars, digits, mnist, stacked_mnist, animal_mnist, openmoji, emoji, glasses, styles, edges, "
        "cifar10, idx",
    ),
]


@pytest.mark.parametrize(("line", "code", "message"), GOLDEN, ids=[line for line, _, _ in GOLDEN])
def test_message(saddle: Call, line: str, code: int, message: str) -> None:
    answer = saddle(*line.split())
    assert (answer.code, answer.err.strip(), answer.out) == (code, message, "")


def complains(answer: Answer, code: int, *words: str) -> None:
    """An error of this code, which says these words in at most six lines, without a traceback."""
    assert answer.code == code, answer.err
    lines = answer.err.strip().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("error["))
    assert 2 <= len(lines) - start <= 6, answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err, answer.err


def test_no_such_folder(saddle: Call, tmp_path: Path) -> None:
    answer = saddle("train", "gan", tmp_path / "no" / "such")
    complains(answer, 66, "not found", f"nearest existing parent is {tmp_path}")


def test_a_folder_without_pictures(saddle: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    complains(saddle("train", "gan", tmp_path / "empty"), 66, "no images found", "fix: ")
    (tmp_path / "texts").mkdir()
    for index in range(50):
        (tmp_path / "texts" / f"{index}.txt").write_text("words")
    complains(saddle("train", "gan", tmp_path / "texts"), 66, "no usable image among 50 files", "saddle data check")


def test_too_many_bad_pictures(saddle: Call, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(pictures, folder)
    for index in range(8):
        (folder / f"bad-{index}.png").write_bytes(b"not a picture")
    answer = saddle("train", "gan", folder, "--size", "8", "--batch", "4")
    complains(answer, 65, "8 of 20 images unusable (40%, limit 5%): 8 not an image", "--max-bad")
    complains(saddle("data", "check", folder, "--on-bad", "stop"), 65, "bad-")
    assert saddle("data", "check", folder, "--size", "8", "--max-bad", "45%").code == 0


def test_a_batch_larger_than_the_data(saddle: Call, pictures: Path) -> None:
    answer = saddle("train", "gan", pictures, "--size", "8", "--batch", "64")
    complains(answer, 64, "batch 64 is larger than the data set (12 images)", "fix: --batch 8")


@pytest.mark.parametrize("name", ["../../etc", "a/b", "x" * 300, "", "."])
def test_a_name_that_is_no_name(saddle: Call, pictures: Path, name: str) -> None:
    complains(saddle("train", "gan", pictures, "--size", "8", "--name", name), 64, "run name may hold", "--name")


def test_a_name_that_is_taken(saddle: Call, pictures: Path, trained: Path) -> None:
    answer = saddle("train", "gan", pictures, "--size", "8", "--name", trained.name, "--out", trained.parent)
    complains(answer, 73, "exists already", f"saddle resume {trained.name}")


def test_a_folder_that_cannot_be_made(saddle: Call, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    answer = saddle("train", "gan", pictures, "--size", "8", "--batch", "4", "--out", tmp_path / "file")
    complains(answer, 73, "cannot write to", "fix: --out DIR")


@pytest.mark.parametrize("verb", [("resume",), ("sample",), ("walk",), ("report",)])
def test_no_such_run(saddle: Call, verb: Sequence[str], tmp_path: Path) -> None:
    complains(saddle(*verb, "nothing"), 66, "no run 'nothing'", "fix: ")
    (tmp_path / "runs" / "real").mkdir(parents=True)
    (tmp_path / "runs" / "real" / "run.json").write_text('{"format": 1, "started": "2026"}')
    complains(saddle(*verb, "nothing"), 66, "no run 'nothing'", "there are in runs/: real")


def test_a_damaged_run(saddle: Call, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "broken"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{")
    complains(saddle("resume", "broken"), 65, "run.json is damaged")


def test_resuming_without_a_checkpoint_file(saddle: Call, trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "runs" / "copy"
    shutil.copytree(trained, copy)
    (copy / "run.json").write_text((copy / "run.json").read_text().replace('"done"', '"stopped"'))
    for checkpoint in (copy / "checkpoints").iterdir():
        if checkpoint.is_dir():
            (checkpoint / "game.safetensors").write_bytes(b"x")
    complains(saddle("resume", "copy"), 65, "no intact checkpoint", "game.safetensors")


def test_a_pickle_is_refused(saddle: Call, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"cposix\nsystem\n(S'touch canary'\ntR.")
    complains(saddle("sample", tmp_path / "model.pkl"), 65, "refused: pickle files can run code", "safetensors")
    assert not (tmp_path / "canary").exists()


def test_a_file_that_is_no_model(saddle: Call, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(bytes(range(256)))
    complains(saddle("sample", tmp_path / "m.safetensors"), 65, "m.safetensors is not a saddlepoint model")


def test_samples_that_cannot_be_written(saddle: Call, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for flags in ([], ["--each"], ["--npz"]):
        answer = saddle("sample", trained, "-n", "1", *flags, "--out", tmp_path / "file" / "x.png")
        assert answer.code in (73, 74), answer.err
        complains(answer, answer.code, "file", "fix: ")
    complains(saddle("sample", trained, "-n", "1", "--out", tmp_path / "x.txt"), 64, "names no picture format")
    complains(saddle("walk", trained, "--out", tmp_path / "x.txt"), 64, "names no film format")


def test_json_errors_are_one_object(saddle: Call) -> None:
    answer = saddle("train", "gan", "digits", "--batch", "0", "--json")
    error = json.loads(answer.out)["error"]
    assert (answer.code, error["code"], error["name"], error["where"]) == (64, 64, "usage", "--batch")
    assert error["what"] == '--batch must be a whole number 1..65536, got "0"'
    assert answer.err.startswith("error[usage]: --batch")
