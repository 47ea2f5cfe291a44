"""The report: self-contained, safe with other people's names, and there for every run, however it ended."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from saddlepoint.pictures import plots
from saddlepoint.pictures.embed import embed
from saddlepoint.pictures.film import write_film
from saddlepoint.pictures.page import text
from saddlepoint.pictures.report import _duration, write_report

EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>\u202egnp.\x00\ud800"


class Page(HTMLParser):
    """What a browser would find: tags with their attributes, and the text between."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.words = [], []
        self.source = path.read_text("utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def quick(monkeypatch):
    """Stands in for the plot, which takes longest and has tests of its own."""
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "WEBP")
    monkeypatch.setattr(plots, "draw_losses", lambda *_: file.getvalue())


def noise(width, height, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def run(folder, **facts):
    """A complete run of small pictures."""
    (folder / "samples").mkdir()
    for step in (100, 200):
        noise(64, 64, step).save(folder / "samples" / f"step-{step:06d}.png")
    for name in ("evolution.png", "real_vs_fake.png"):
        noise(60, 40).save(folder / name)
    for name in ("progress.webp", "walk.webp"):
        write_film(folder / name, [noise(32, 32, seed) for seed in range(4)], fps=8)
    values = {"discriminator/D(x)": 0.97, "discriminator/D(G(z))": 0.02, "generator/adversarial": 4.0}
    lines = [
        {"step": step, "stage": "a", "seconds": step / 10, "images_per_second": 640.0, "values": values}
        for step in range(10, 210, 10)
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    known = {
        "name": "faces-1", "recipe": "dcgan", "preset": "tutorial", "status": "done", "step": 200, "steps": 200,
        "seconds": 185.2, "options": {"latent": 100, "beta1": 0.5, "flip": True}, "plan": {"device": "cpu", "seed": 7},
        "data": {"name": "faces", "count": 5000, "classes": ["a", "b"]},
        "command": "saddle train dcgan faces/ --seed 7", "versions": {"torch": "2.13.0"}, **facts,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(known))
    return folder


def test_the_page_tells_everything(tmp_path):
    (run(tmp_path) / "data_report.json").write_text(
        json.dumps({"usable": 5000, "skipped": {"truncated": [{"name": "x/7.png", "detail": "ends early"}]},
                    "converted": {"palette to RGB": 14}, "duplicates": 3})
    )  # fmt: skip
    page = Page(write_report(tmp_path))
    for words in (
        "faces-1", "preset tutorial", "5,000 pictures", "200 of 200", "3 min 5 s", "640 images/s", "Done", "step 200",
        "The discriminator is winning", "0.97", "beta1 0.5", "flip yes", "Seed 7", "x/7.png ends early", "truncated: 1",
        "Converted: palette to RGB 14", "Duplicates 3", "saddle train dcgan faces/ --seed 7", "torch 2.13.0",
    ):  # fmt: skip
        assert words in page.text, words
    assert len(page.all("img")) == 6  # samples, two films, evolution, comparison, plot
    assert page.source.index("Samples at step 200") < page.source.index("What the curves say")


def test_the_page_asks_nobody_for_anything(tmp_path, quick):
    page = Page(write_report(run(tmp_path)))
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("a")
    sources = [tag["src"] for tag in page.all("img")] + [tag["srcset"] for tag in page.all("source")]
    assert all(source.startswith("data:image/") for source in sources)
    assert "url(" not in page.source
    assert "http:" not in page.source
    assert "https:" not in page.source
    assert not [attributes for _, attributes in page.tags if "style" in attributes]


def test_the_policy_allows_exactly_the_style_that_is_there(tmp_path, quick):
    page = Page(write_report(run(tmp_path)))
    policy = next(tag["content"] for tag in page.all("meta") if tag.get("http-equiv") == "Content-Security-Policy")
    style = re.search("<style>(.*)</style>", page.source, re.DOTALL)[1]
    assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_other_peoples_names_stay_text(tmp_path):
    run(
        tmp_path, name=EVIL, recipe=EVIL, preset=EVIL, status=EVIL, command=EVIL, started=EVIL, options={EVIL: EVIL},
        plan={EVIL: EVIL}, versions={EVIL: [EVIL]}, git={"commit": EVIL}, source={"spec": EVIL},
        data={"count": EVIL, "classes": [EVIL], "fingerprint": EVIL},
    )  # fmt: skip
    (tmp_path / "data_report.json").write_text(
        json.dumps({"skipped": {EVIL: [{"name": EVIL, "detail": EVIL}, EVIL]}, "converted": {EVIL: 1},
                    "classes": {EVIL: 2}, "usable": EVIL})
    )  # fmt: skip
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write(json.dumps({"step": 300, "event": EVIL, "message": EVIL}) + "\n")
        values = {EVIL: 1.0}
        log.writelines(json.dumps({"step": step, "stage": EVIL, "values": values}) + "\n" for step in range(400, 420))
    page = Page(write_report(tmp_path))
    assert not page.all("script")
    assert all(tag.get("src", "").startswith("data:") for tag in page.all("img"))
    assert not [attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)]
    assert "\u202e" not in page.source
    assert "\x00" not in page.source
    assert page.text.count("onerror=alert(1)") > 10


@pytest.mark.parametrize(
    "lose",
    [["samples"], ["log.jsonl"], ["run.json"], ["progress.webp", "walk.webp"], ["samples", "log.jsonl", "run.json"]],
    ids=" ".join,
)
def test_partial_runs_get_the_rest(tmp_path, quick, lose):
    run(tmp_path)
    for name in lose:
        path = tmp_path / name
        for inner in [*path.glob("*"), path] if path.is_dir() else [path]:
            inner.rmdir() if inner.is_dir() else inner.unlink()
    page = Page(write_report(tmp_path))
    assert ("Samples at step" in page.text) == ("samples" not in lose)
    assert ("The log holds no losses" in page.text) == ("log.jsonl" in lose)
    assert ("saddle train dcgan" in page.text) == ("run.json" not in lose)
    assert ("In motion" in page.text) == ("walk.webp" not in lose)


def test_a_bare_folder_gets_a_page_with_its_name(tmp_path):
    page = Page(write_report(tmp_path))
    assert tmp_path.name in page.text
    assert "no pictures yet" in page.text


def test_damaged_files_are_passed_over(tmp_path, quick):
    run(tmp_path, status="failed")
    newest = tmp_path / "samples" / "step-000200.png"
    newest.write_bytes(newest.read_bytes()[:900])
    (tmp_path / "evolution.png").write_bytes(b"not a picture")
    (tmp_path / "data_report.json").write_bytes(b'{"usable": ')
    with (tmp_path / "log.jsonl").open("ab") as log:
        log.write(b'{"step": 300, "val\n\xff\xfe\n[]')
    page = Page(write_report(tmp_path))
    assert "Failed" in page.text
    assert "Samples at step 100" in page.text
    assert "Step by step" not in page.text


@pytest.mark.parametrize("facts", [[], {"options": 3, "data": "x", "steps": "many", "plan": None, "seconds": "NaN"}])
def test_a_run_json_of_any_shape_does_no_harm(tmp_path, facts):
    (tmp_path / "run.json").write_text(json.dumps(facts))
    assert "Status" in Page(write_report(tmp_path)).text


def test_large_pictures_are_made_smaller(tmp_path, quick):
    (tmp_path / "samples").mkdir()
    noise(900, 900).save(tmp_path / "samples" / "step-000100.png")
    noise(900, 600).save(tmp_path / "evolution.png")
    noise(800, 400).save(tmp_path / "real_vs_fake.png")
    path = write_report(tmp_path)
    assert path.stat().st_size < 4_000_000
    sizes = [(int(tag["width"]), int(tag["height"])) for tag in Page(path).all("img")]
    assert sizes[0][0] == sizes[0][1] > 300
    assert sizes[1][0] / sizes[1][1] == pytest.approx(1.5, rel=0.02)


def test_large_films_keep_their_length(tmp_path):
    film = write_film(tmp_path / "film.webp", [noise(200, 100, seed) for seed in range(12)], fps=8)
    small = embed(film, film.stat().st_size // 3)
    with Image.open(io.BytesIO(base64.b64decode(small.uri.partition(",")[2]))) as read:
        assert read.size == (200, 100)
        lasts = []
        for index in range(read.n_frames):
            read.seek(index)
            read.load()
            lasts.append(read.info["duration"])
    assert len(lasts) < 12
    assert sum(lasts) == pytest.approx(1500, rel=0.1)


def test_what_fits_is_embedded_byte_for_byte(tmp_path):
    noise(20, 10).save(tmp_path / "a.png")
    picture = embed(tmp_path / "a.png", 10_000)
    assert base64.b64decode(picture.uri.removeprefix("data:image/png;base64,")) == (tmp_path / "a.png").read_bytes()
    assert (picture.width, picture.height) == (20, 10)
    assert embed(tmp_path / "b.png", 10_000) is None


def test_long_text_is_cut_and_control_characters_are_shown():
    assert text("<a>") == "&lt;a&gt;"
    assert len(text("x" * 1000)) == 400
    assert text("a\x00b\x1b[31m") == "a\ufffdb\ufffd[31m"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.26, "4.3 s"), (42, "42 s"), (185.2, "3 min 5 s"), (7800, "2 h 10 min"), (None, "–"), ("x", "–")],
)
def test_time_is_told_as_people_tell_it(seconds, words):
    assert _duration(seconds) == words
