"""The words in Python: train, resume, load, sample, walk."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import saddlepoint
from saddlepoint.data.policy import Policy, recorded
from saddlepoint.data.scan import Watch
from saddlepoint.data.source import open_source
from saddlepoint.errors import DataError, LockedError, MissingError, UsageError
from saddlepoint.evaluation.subject import of_run
from saddlepoint.run import Run

EXAMPLE = Path(__file__).parent.parent / "examples" / "my_gan.py"
TINY: dict[str, Any] = {"size": 8, "latent": 4, "batch": 4, "steps": 6, "threads": 1, "device": "cpu"}


def pictures(count: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), np.uint8)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> saddlepoint.Trained:
    """One run for all the tests that only look at it."""
    return saddlepoint.train("gan", pictures(), out=tmp_path_factory.mktemp("runs"), name="a", **TINY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "photos"
    place.mkdir()
    for number, pixels in enumerate(pictures()):
        Image.fromarray(pixels).save(place / f"{number}.png")
    return place


def test_train_leaves_everything_a_run_should(out: Path, folder: Path) -> None:
    run = saddlepoint.train("gan", folder, out=out, **TINY)
    left = {path.name for path in run.folder.iterdir()}
    assert left >= {
        "run.json", "log.jsonl", "samples", "losses.png", "real_vs_fake.png", "evolution.png", "progress.webp",
        "report.html", "checkpoints", "model", "data_report.json", "data_index.json",
    }  # fmt: skip
    facts = json.loads((run.folder / "run.json").read_text())
    assert facts["status"] == "done"
    assert facts["step"] == 6
    assert facts["data"]["count"] == 16
    assert run.folder.name == "gan-photos-1"


def test_one_seed_gives_one_set_of_pictures(trained: saddlepoint.Trained) -> None:
    again = saddlepoint.load("a", out=trained.folder.parent)
    assert torch.equal(trained.sample(5, seed=3), again.sample(5, seed=3))
    assert not torch.equal(trained.sample(5, seed=3), trained.sample(5, seed=4))
    assert trained.sample(70).shape == (70, 3, 8, 8)
    assert trained.sample(5).abs().max() <= 1


def test_the_log_tells_what_was_measured(trained: saddlepoint.Trained) -> None:
    last = trained.log()[-1]
    assert last["step"] == 6
    assert {"discriminator/real", "generator/adversarial"} < last["values"].keys()


def test_last_is_the_run_started_last(trained: saddlepoint.Trained, out: Path) -> None:
    for name, started in (("b", "2026-01-01"), ("a", "2026-01-03"), ("c", "2026-01-02")):
        shutil.copytree(trained.folder, out / name)
        facts = json.loads((out / name / "run.json").read_text())
        (out / name / "run.json").write_text(json.dumps({**facts, "started": started}))
    assert saddlepoint.load("last", out=out).folder.name == "a"


@pytest.mark.parametrize("kind", ["slerp", "linear", "explore"])
def test_a_walk_is_a_film(trained: saddlepoint.Trained, kind: str) -> None:
    path = trained.walk(kind=kind, states=2, steps=2, count=4)
    with Image.open(path) as film:
        assert film.n_frames == (15 * 2 if kind == "explore" else 2 * 2)
    assert path.name == ("explore.webp" if kind == "explore" else "walk.webp")


def test_a_walk_of_an_unknown_kind_is_refused(trained: saddlepoint.Trained) -> None:
    with pytest.raises(UsageError, match="slerp, linear, explore"):
        trained.walk(kind="spiral")


def test_a_model_folder_alone_is_enough(trained: saddlepoint.Trained, tmp_path: Path) -> None:
    shutil.copytree(trained.folder / "model", tmp_path / "gift")
    assert torch.equal(saddlepoint.load(tmp_path / "gift").sample(2), trained.sample(2))


def test_a_dry_run_writes_nothing(out: Path) -> None:
    rehearsed = saddlepoint.train("gan", pictures(), out=out, dry_run=True, **TINY)
    assert rehearsed.sample(2).shape == (2, 3, 8, 8)
    assert not out.exists()


def test_a_taken_name_is_refused(trained: saddlepoint.Trained) -> None:
    with pytest.raises(LockedError, match="exists already"):
        saddlepoint.train("gan", pictures(), out=trained.folder.parent, name="a", **TINY)


@pytest.mark.parametrize("name", ["../x", "a/b", "x" * 65, "", ".", "-rf"])
def test_a_name_that_no_folder_should_have_is_refused(out: Path, name: str) -> None:
    with pytest.raises(UsageError, match="run name"):
        saddlepoint.train("gan", pictures(), out=out, name=name, **TINY)


def test_a_recipe_of_ones_own_is_run_but_never_taken_from_a_model(out: Path) -> None:
    saddlepoint.train(str(EXAMPLE), pictures(), out=out, name="own", width=8, **TINY)
    with pytest.raises(UsageError, match="recipe of its own"):
        saddlepoint.load("own", out=out)
    with pytest.raises(UsageError, match="recipe of its own"):
        saddlepoint.resume("own", data=pictures(), out=out)
    assert saddlepoint.load("own", out=out, recipe_file=str(EXAMPLE)).sample(2).shape == (2, 3, 8, 8)


def test_changed_data_stop_a_resume(out: Path, folder: Path) -> None:
    run = saddlepoint.train("gan", folder, out=out, name="a", **TINY)
    run.run.note(status="stopped")
    Image.fromarray(pictures(1, seed=9)[0]).save(folder / "3.png")
    with pytest.raises(DataError, match="differs"):
        saddlepoint.resume("a", out=out)
    assert saddlepoint.resume("a", out=out, accept_data_change=True).run.facts()["status"] == "done"


def test_another_array_stops_a_resume(trained: saddlepoint.Trained, out: Path) -> None:
    shutil.copytree(trained.folder, out / "a")
    Run(out / "a").note(status="stopped")
    with pytest.raises(MissingError, match="no data"):
        saddlepoint.resume("a", out=out)
    with pytest.raises(DataError, match="differs"):
        saddlepoint.resume("a", data=pictures(seed=1), out=out)
    saddlepoint.resume("a", data=pictures(), out=out)


def test_epochs_become_steps(out: Path) -> None:
    run = saddlepoint.train("dcgan", np.repeat(pictures(), 4, 1).repeat(4, 2), out=out, epochs=1.5, width=4, latent=4,
                            batch=4, size=32, threads=1)  # fmt: skip
    assert run.run.facts()["step"] == 6


def test_no_run_is_said_with_those_there_are(trained: saddlepoint.Trained) -> None:
    with pytest.raises(MissingError, match="no run 'nothing'") as caught:
        saddlepoint.load("nothing", out=trained.folder.parent)
    assert caught.value.fix is not None
    assert caught.value.fix.endswith(": a")


def test_a_finished_run_can_be_trained_longer_and_ends_as_if_it_had_been_longer_from_the_start(
    trained: saddlepoint.Trained, out: Path
) -> None:
    shutil.copytree(trained.folder, out / "a")
    longer = saddlepoint.resume("a", steps=9, data=pictures(), out=out)
    whole = saddlepoint.train("gan", pictures(), out=out, name="whole", **{**TINY, "steps": 9})
    assert torch.equal(longer.sample(4), whole.sample(4))
    assert [entry["step"] for entry in longer.run.facts()["resumed"]] == [6]
    with pytest.raises(UsageError, match="more than the 9 steps"):
        saddlepoint.resume("a", steps=9, data=pictures(), out=out)


def test_what_is_held_out_stays_out_when_the_run_goes_on(out: Path) -> None:
    kept = saddlepoint.train("gan", pictures(), out=out, name="held", holdout=0.25, **TINY)
    facts = kept.run.facts()
    assert (facts["data"]["count"], facts["source"]["holdout"]) == (12, 0.25)
    longer = saddlepoint.resume("held", data=pictures(), out=out, steps=8)
    assert longer.run.facts()["data"] == facts["data"]
    with pytest.raises(UsageError, match=r"cannot be held out"):
        saddlepoint.train("gan", pictures(), out=out, holdout=0.01, **TINY)


def shades(folder: Path, **changed: str) -> Path:
    """The folder with a label file of two attributes."""
    found = {str(number): ("dark", "light")[number % 2] for number in range(16)} | changed
    records = {f"{name}.png": {"shade": shade, "size": "abcd"[int(name) % 4]} for name, shade in found.items()}
    (folder / "labels.json").write_text(json.dumps(records))
    return folder


def test_a_choice_of_labels_is_part_of_the_run(out: Path, folder: Path) -> None:
    steps = {**TINY, "steps": 2}
    run = saddlepoint.train("gan", shades(folder), by="shade", out=out, name="a", holdout=0.25, **steps)
    facts = run.run.facts()
    assert (facts["source"]["by"], facts["data"]["classes"]) == (["shade"], ["dark", "light"])
    assert run.config["data"]["classes"] == ["dark", "light"]
    subject = of_run(run, None, 4, size=None, seed=0, watch=Watch())
    assert [side.classes for side in subject.real.values()] == [("dark", "light")] * 2
    longer = saddlepoint.resume("a", out=out, steps=3)
    assert longer.run.facts()["data"] == facts["data"]

    shades(folder, **{"5": "dark"})
    run.run.note(status="stopped")
    with pytest.raises(DataError, match=r"1 changed, 0 gone \(5\.png\)"):
        saddlepoint.resume("a", out=out)
    with pytest.raises(DataError, match="are not what they were"):
        of_run(run, None, 4, size=None, seed=0, watch=Watch())


def test_a_run_of_before_label_files_finds_its_data_as_they_were(folder: Path, out: Path) -> None:
    before = open_source(folder).images(size=8).fingerprint
    (folder / "labels.json").write_text(json.dumps({f"{number}.png": number % 2 for number in range(16)}))
    record = {"policy": asdict(Policy()), "holdout": 0.0}
    assert open_source(folder, **recorded(record)).images(size=8).fingerprint == before
    assert open_source(folder, **recorded({**record, "by": []})).images(size=8).classes == ("0", "1")


@pytest.mark.parametrize(("can", "told"), [({"avx512_bf16": True}, 0), ({"avx2": True}, 1)])
def test_a_precision_that_the_processor_only_imitates_is_noted(
    out: Path, can: dict[str, bool], told: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    run = saddlepoint.train("gan", pictures(), out=out, name="a", precision="bf16", **TINY | {"steps": 2})
    note = "fp32 is many times faster, and what --precision auto takes"
    assert capsys.readouterr().err.count(note) == told
    assert (run.folder / "log.jsonl").read_text().count(note) == told
