"""Writes the tables of benchmarks/README.md from the files in results/.

python benchmarks/tables.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from evidence import figure

HERE = Path(__file__).parent
HEAD = """# Benchmarks

Each script compares two things in one run, prints one JSON object with `--json`, and writes `results/NAME.json` with
command, revision, seed, hardware, date and figures. These tables are made from those files by
`python benchmarks/tables.py`.
"""


def step(record: dict[str, Any]) -> list[str]:
    """The chapter's training loop against saddlepoint's."""
    cpu = record["cpu"]
    rows = [
        f"| CPU, {name} | {cpu[name]['chapter_ms']:,.0f} ms | {cpu[name]['saddle_ms']:,.0f} ms | "
        f"**{cpu[name]['time_ratio']:.2f}** | {cpu[name]['memory_ratio']:.2f} |"
        for name in ("fp32", "bf16")
    ]
    gpu = record["gpu"]
    rows.append(
        f"| GPU | {gpu} | | | |"
        if isinstance(gpu, str)
        else f"| GPU, bf16, compiled | {gpu['bf16']['chapter_ms']:,.1f} ms | {gpu['bf16']['saddle_ms']:,.1f} ms | "
        f"**{gpu['bf16']['time_ratio']:.2f}** | {gpu['bf16']['memory_ratio']:.2f} |"
    )
    return [
        "## A training step",
        "",
        f"The chapter's DCGAN loop as printed and the recipe `dcgan`, 64x64, batch {record['batch']}, steps in turn, "
        f"{cpu['threads']} threads; medians. Goals on a CPU with AVX512-BF16: at most 0.80 in fp32 and 0.45 in bf16.",
        "",
        "| | chapter | saddle | time ratio | memory ratio |",
        "|---|---|---|---|---|",
        *rows,
        "",
        f"The loop itself costs {100 * cpu['loop_overhead']:.1f} % over the same operations written by hand "
        "(goal: at most 2 %).",
    ]


def data(record: dict[str, Any]) -> list[str]:
    """Pillow and DataLoader against the cache."""
    return [
        "## Reading pictures",
        "",
        "A folder of 64x64 PNG, shuffled, as float32 batches; from the second epoch on. Goal: at least 5 times.",
        "",
        "| Pillow + DataLoader, 2 workers | the cache, no workers | ratio | first epoch, with scan and decoding |",
        "|---|---|---|---|",
        f"| {record['loader_images_per_second']:,} images/s | {record['cache_images_per_second']:,} images/s | "
        f"**{record['cache_ratio']:.1f}** | {record['first_epoch_images_per_second']:,} images/s |",
    ]


def kills(record: dict[str, Any]) -> list[str]:
    """Killed runs against one that was never killed."""
    figures = record["figures"]
    return [
        "## Kills",
        "",
        "A short run killed with SIGKILL at random moments, and by kill and power cut at each touch of the disk,"
        " resumed, and compared with a run never stopped: every loss, weight, average and optimizer moment.",
        "",
        "| random kills | injected faults | differing bits |",
        "|---|---|---|",
        f"| {figures['kills']} | {figures['injected']} | **{figures['differing_bits']}** |",
    ]


def doctor(record: dict[str, Any]) -> list[str]:
    """What the doctor of a training found, beside what there was to find."""
    rows = [
        f"| {row['recipe']} | {row['data']} | {row['why']} | {' or '.join(row['expected']) or 'nothing'} | "
        f"{', '.join(row['found']) or 'nothing'} | {row['verdict']} |"
        for row in record["table"]
    ]
    return [
        "## The doctor of a training",
        "",
        f"Of {record['runs']} runs, half of them broken on purpose, **{record['missed']}** missed and "
        f"**{record['false_alarms']}** false alarms (goal: at most one each). Looking took {record['cost']:.2%} of the "
        "time (goal: less than 1 %). Beside each finding stands the step at which it was told.",
        "",
        "| recipe | data | what is special | expected | found | |",
        "|---|---|---|---|---|---|",
        *[row.replace("_", " ") for row in rows],
    ]


def modes(record: dict[str, Any]) -> list[str]:
    """Every recipe on the ring of 8 and the grid of 25."""

    lines = [
        "## Modes",
        "",
        "PacGAN's protocol: 100,000 points, latents from N(0, I) in the plane, 2,500 samples, of high quality within "
        "three deviations of a mode; KL of the histogram to the uniform one. Means over the seeds, and the worst. "
        "Goals for the best recipe: all modes for all seeds, 97 % on the ring and 95.7 % on the grid, KL at most 0.02.",
    ]
    for toy in ("ring8", "grid25"):
        rows = dict(record[toy])
        best = rows.pop("perfect")
        lines += [
            "",
            f"| {toy} | modes | worst | high quality | worst | KL | worst | seeds | rounds | seconds each |",
            "|---|---|---|---|---|---|---|---|---|---|",
            f"| the data themselves | {best['modes']:.0f} | | {best['hq']:.1%} | | {best['kl']:.4f} | | | | |",
        ]
        for name, row in sorted(rows.items(), key=lambda pair: -sum(pair[1]["hq"]) / len(pair[1]["hq"])):
            count, kls = len(row["modes"]), [kl for kl in row["kl"] if kl is not None]
            # Without one sample of high quality there is no histogram to compare.
            kl = f"{sum(kls) / count:.4f} | {max(kls):.4f}" if len(kls) == count else "– | –"
            quality = f"{sum(row['hq']) / count:.1%} | {min(row['hq']):.1%}"
            lines.append(
                f"| {name} | {sum(row['modes']) / count:.1f} | {min(row['modes']):.0f} | {quality} | {kl} | {count} | "
                f"{row['steps']:,} | {row['seconds'] / count:.0f} |"
            )
    return lines


def stacked(record: dict[str, Any]) -> list[str]:
    """Stacked MNIST: a row for each thousand steps, a column for each arm."""
    arms = {arm: {row["step"]: row for row in trajectory} for arm, trajectory in record["arms"].items()}
    full = next(iter(arms.values()))
    lines = [
        "## Stacked MNIST",
        "",
        f"Three random digits as red, green and blue: {record['perfect']['modes']:.0f} modes. {record['samples']:,} "
        "samples, labeled channel by channel by a classifier that is right on "
        f"{record['classifier_accuracy']:.2%} of MNIST's test digits; the data themselves get KL "
        f"{record['perfect']['kl']:.4f}. `r3gan --preset stacked` on one CPU core, and the same with parts of it off, "
        "to see what each contributes: modes / KL.",
        "",
        "| steps | CPU time | " + " | ".join(arms) + " |",
        "|---" * (2 + len(arms)) + "|",
    ]
    for step in sorted(step for step in full if step % 1000 == 0):
        cells = [f"{rows[step]['modes']} / {rows[step]['kl']:.3f}" if step in rows else "" for rows in arms.values()]
        lines.append(f"| {step:,} | {full[step]['cpu_seconds'] / 60:.0f} min | " + " | ".join(cells) + " |")
    return lines


def dirac(record: dict[str, Any]) -> list[str]:
    """The Dirac-GAN's growth per step."""
    objectives = {name: rows for name, rows in record.items() if isinstance(rows, dict) and name != "setting"}
    lines = [
        "## The Dirac-GAN",
        "",
        "Factor by which one simultaneous step of both players changes the distance from the point of rest: exact "
        "eigenvalue / measured with the library's losses and penalties. Below 1 it settles, from 1 on it does not. "
        f"Bold: it converged to the data. Largest difference {record['largest_error']:.1e}.",
        "",
        "| objective | " + " | ".join(name.replace("_", " ") for name in next(iter(objectives.values()))) + " |",
        "|---" * (1 + len(next(iter(objectives.values())))) + "|",
    ]
    for name, rows in objectives.items():
        cells = [f"{row['exact']:.4f} / {row['measured']:.4f}" for row in rows.values()]
        cells = [f"**{cell}**" if row["converged"] else cell for cell, row in zip(cells, rows.values(), strict=True)]
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return lines


def stability(record: dict[str, Any]) -> list[str]:
    """A DCGAN and a WGAN-GP whose generators have no normalization."""
    rows = [
        f"| {name} | " + " | ".join(f"{row['distance']:.4f}" for row in _spread(record[name])) + " |"
        for name in ("dcgan", "wgan_gp")
    ]
    seconds = " | ".join(f"{row['seconds'] / 60:.0f} min" for row in _spread(record["wgan_gp"]))
    return [
        "## A generator without normalization",
        "",
        "Both recipes with the preset `bare`, on avatars at 32x32: sliced Wasserstein distance of 2,000 samples to the "
        f"data after minutes of one core; between two halves of the data it is {record['real_against_real']:.4f}.",
        "",
        f"| | {seconds} |",
        "|---|---|---|---|---|---|---|",
        *rows,
    ]


def metrics(record: dict[str, Any]) -> list[str]:
    """What scores cost beside the packages that others use."""
    frechet, shares = record["frechet"], record["precision_recall"]
    return [
        "## What a score costs",
        "",
        "| | time | memory | difference | goal |",
        "|---|---|---|---|---|",
        f"| Fréchet distance, 10,000 x 2,048, against scipy's sqrtm | **{frechet['time_ratio']:.2f}** | | "
        f"{frechet['relative_error']:.0e} | 0.2 of the time, 1e-6 |",
        f"| precision, recall, density, coverage, 10,000 x 1,024, against prdc | **{shares['time_ratio']:.2f}** | "
        f"**{shares['memory_ratio']:.2f}** | {shares['max_error']:.0e} | 0.25 of the time, 0.1 of the memory |",
    ]


def sensitivity(record: dict[str, Any]) -> list[str]:
    """Which score notices which fault of samples."""
    lines = [
        "## What a score notices",
        "",
        f"{record['count']:,} real pictures play the samples, spoiled at three strengths; {record['network']} looks. "
        "In a cell: at how many strengths the score left the range of unspoiled ones, and which way it went at the "
        "strongest; bold where it never turned back.",
    ]
    for name, rows in record.items():
        if isinstance(rows, dict) and "noticed" in rows:
            faults = rows["noticed"]
            lines += ["", f"| {name} | " + " | ".join(faults) + " |", "|---" * (1 + len(faults)) + "|"]
            for score in next(iter(faults.values())):
                cells = [_noticed(found[score]) for found in faults.values()]
                lines.append(f"| {score} | " + " | ".join(cells) + " |")
    return lines


def _noticed(found: dict[str, Any]) -> str:
    if not found["noticed"]:
        return ""
    cell = f"{found['noticed']} {found['direction']}".strip()
    return f"**{cell}**" if found["monotone"] else cell


def conditional(record: dict[str, Any]) -> list[str]:
    """Digits by class, from few labels, and without any; faces by an attribute; what a discriminator knows."""
    asked = {name: part for name, part in record.items() if isinstance(part, dict) and "gan_train" in part}
    parts = {"sgan": _few, "infogan": _found, "attribute": _attribute, "features": _features}
    lines = [line for name, part in parts.items() if name in record for line in part(record[name])]
    return ["## By class, from few labels, without labels", *(_asked(asked) if asked else []), *lines]


def _asked(games: dict[str, dict[str, Any]]) -> list[str]:
    counts = next(iter(games.values()))["samples"]
    return [
        "",
        "Samples of games that are told the digit, and in brackets real digits in their place: told are "
        f"{counts['accuracy']:,} samples, the nearest is sought among {counts['one_nn_error']:,} (real: "
        f"{counts['real']:,}), and "
        f"{counts['gan_train']:,} teach a network. Goals of `cdcgan`: 98.5, 97 and at most 3.1 %.",
        "",
        "| | told as the digit asked for | the worst digit | error of the nearest | told right by the network |",
        "|---|---|---|---|---|",
        *(f"| `{name}` | {' | '.join(_beside_real(game))} |" for name, game in games.items()),
        "",
        *(f"- `{game['trained_by']}`: {game['steps']:,} steps. {_measured(game)}" for game in games.values()),
    ]


def _beside_real(game: dict[str, Any]) -> Iterator[str]:
    """What is said of a game's samples, and in brackets of real digits."""
    for name in ("accuracy", "accuracy_by_class", "one_nn_error", "gan_train"):
        made, real = game[name], game["real"][name]
        if isinstance(made, list):
            made, real = min(made), min(real)
        yield f"**{made:.2%}** ({real:.2%})"


def _few(made: dict[str, Any]) -> list[str]:
    alone = made.get("supervised", {"steps": {}})
    labels = sorted({key for key in [*made, *alone] if key.isdigit()}, key=int)
    return [
        "",
        "`sgan`, test digits told wrong of 10,000: mean ± deviation over choices of the labels, and their number. "
        "Published for 100 labels: 93 ± 6.5, after 180,000 steps.",
        "",
        "| labels | with the game | steps | from the labels alone | steps |",
        "|---|---|---|---|---|",
        *(f"| {key} | {_wrong(made, key)} | {_wrong(alone, key)} |" for key in labels),
        "",
        " ".join(f"{who}: {_measured(part)}" for who, part in (("Game", made), ("Alone", alone)) if "date" in part),
    ]


def _wrong(made: dict[str, Any], labels: str) -> str:
    """Two cells."""
    if labels not in made:
        return "not yet measured | "
    counts = [count for count in made[labels] if count is not None]
    return f"**{_counted(counts)}** ({len(counts)}) | {made['steps'][labels]:,}"


def _found(made: dict[str, Any]) -> list[str]:
    return [
        "",
        f"Categories that `{made['trained_by']}` found agree with the digits of **{made['agreement']:.1%}** of the "
        f"test set (goal: 95 %). {_measured(made)}",
    ]


def _attribute(made: dict[str, Any]) -> list[str]:
    scores = ("fd_lite0_96", "precision_lite0_96", "recall_lite0_96", "accuracy_lite0_96")
    told = next(iter(made["rows"].values()))["scores"]["accuracy_lite0_96"]["data"]
    lines = [
        "",
        f"`{made['data']}` by `{made['by']}` at 32x32, the preset `laptop` of each at half its width, "
        f"{made['minutes_each']:g} minutes of one core as measured beforehand; {made['count']:,} samples against the "
        "training pictures. Last column: how often the class that was asked for is told, by a classifier that learned "
        f"from half of the data and tells {told:.1%} of the other half.",
        "",
        "| recipe | steps | minutes | fd_lite0 | precision | recall | accuracy |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in made["rows"].items():
        distance, *shares = (row["scores"][score]["value"] for score in scores)
        cells = [f"{row['steps']:,}", f"{row['minutes']:.0f}", f"**{distance:,.0f}**"]
        lines.append(f"| {name} | " + " | ".join([*cells, *(f"{share:.1%}" for share in shares)]) + " |")
    return [*lines, "", *(f"- `{row['trained_by']}`: {_measured(row)}" for row in made["rows"].values())]


def _features(made: dict[str, Any]) -> list[str]:
    lines = []
    for data, known in made.items():
        counts = sorted((key for key in known if key.isdigit()), key=int)
        contestants = list(known[counts[0]])
        lines += [
            "",
            f"What the discriminator of `{known['trained_by']}` knows of {data}: a linear machine on its "
            f"{known['features']:,} features and a few labels, on {known['asked']:,} pictures that it has not seen; "
            f"{known['guessed']:.1%} by guessing the most frequent class. {_measured(known)}",
            "",
            "| labels | " + " | ".join(contestants) + " |",
            "|---" * (1 + len(contestants)) + "|",
            *(f"| {count} | " + " | ".join(_told(known[count][who]) for who in contestants) + " |" for count in counts),
        ]
    return lines


def _told(found: dict[str, Any]) -> str:
    spread = "" if found["std"] is None else f" ± {100 * found['std']:.1f}"
    return f"{100 * found['mean']:.1f}{spread} %"


def pairs(record: dict[str, Any]) -> list[str]:
    """Pictures made from pictures: of pairs, and of two sets that nobody has paired."""
    rows, lines = record["rows"], ["## Pictures to pictures"]
    side = {data: f"{size}x{size}" for data, size in record["sizes"].items()}
    where = {"minutes": _minutes, "on": _processor}
    if paired := {name.replace("_", " + "): row for name, row in rows.items() if "colors" in row}:
        lines += [
            "",
            f"`pix2pix --preset laptop` from lines to colors of emoji, {side['openmoji']}, with L1 alone, the game "
            f"alone and both; on the {record['holdout']:.0%} of the pairs that were held out. Sharpness: mean "
            "difference of neighbors as a part of the targets'. Colors: shared part of the histograms of L, a and b "
            "where the target paints (Isola et al. 2017, figure 7).",
            "",
            *_scored(paired, {"sharpness": _sharpness, "colors": _colors, **where}),
        ]
    if apart := {name: row for name, row in rows.items() if "kept" in row}:
        lines += [
            "",
            "Styles of avatars that nobody has paired, from the first to the second and back: adventurer and big "
            f"smile at {side['styles']}, `pixels` toon head and pixel art at {side['styles:toon-head+pixel-art']}; on "
            f"the {record['holdout']:.0%} that were held out. "
            "Kept: how often a probe of the target style finds in a translation the tone of its source (the most "
            "frequent tone alone).",
            "",
            *_scored(apart, {"kept skin, hair": _kept, "back": _kept_back, **where}),
        ]
    return lines


def _scored(rows: dict[str, dict[str, Any]], more: dict[str, Callable[[dict[str, Any]], str]]) -> list[str]:
    """A table of all scores of some trainings, and of columns that are theirs alone."""
    scores = list(next(iter(rows.values()))["scores"])
    lines = [f"| | {' | '.join([*(score.replace('_', ' ') for score in scores), *more])} |"]
    lines.append("|---" * (1 + len(scores) + len(more)) + "|")
    for name, row in rows.items():
        cells = [figure(row["scores"][score]["value"]) for score in scores]
        cells += [tell(row) for tell in more.values()]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return lines


def _sharpness(row: dict[str, Any]) -> str:
    return f"{row['sharpness']:.2f}"


def _colors(row: dict[str, Any]) -> str:
    return " / ".join(f"{share:.2f}" for share in row["colors"].values())


def _kept(row: dict[str, Any], way: str = "kept") -> str:
    return ", ".join(f"{tone['translated']:.1%} ({tone['most frequent']:.1%})" for tone in row[way].values())


def _kept_back(row: dict[str, Any]) -> str:
    return _kept(row, "kept_back") if "kept_back" in row else ""


def _measured(part: dict[str, Any]) -> str:
    return f"Revision {part['revision']}, {part['date']}, {_processor(part)}."


def _minutes(row: dict[str, Any]) -> str:
    return f"{row['minutes']:.0f}"


def _processor(row: dict[str, Any]) -> str:
    return str(row["hardware"]).partition(",")[0].replace("(R)", "")


def _length(row: dict[str, Any]) -> str:
    return " ".join(f"`--{option} {value}`" for option, value in row["length"].items())


def growth(record: dict[str, Any]) -> list[str]:
    """ProGAN against DCGAN."""
    made: dict[str, Any] = {name: record[name] for name in ("progan", "dcgan") if name in record}
    return [
        "## Growing against standing",
        "",
        f"`{record['data']}` at 64x64, {record['minutes_each']:g} minutes of one core as measured beforehand, in "
        f"{record['plan']['precision']}; {next(iter(made.values()))['count']:,} samples against the training pictures.",
        "",
        *_scored(made, {"length": _length}),
        "",
        "![Distances of patches over time, by level](../docs/gallery/growth-swd.webp)",
    ]


def _counted(errors: list[int]) -> str:
    return f"{mean(errors):,.0f} ± {stdev(errors):,.0f}" if len(errors) > 1 else f"{errors[0]:,}"


def _spread(rows: list[dict[str, Any]], count: int = 6) -> list[dict[str, Any]]:
    """As many rows, from the first to the last."""
    return [rows[round(index * (len(rows) - 1) / (count - 1))] for index in range(count)]


TABLES = {
    "step": step,
    "data": data,
    "kills": kills,
    "dirac": dirac,
    "modes": modes,
    "stacked": stacked,
    "stability": stability,
    "metrics": metrics,
    "sensitivity": sensitivity,
    "conditional": conditional,
    "pairs": pairs,
    "growth": growth,
    "doctor": doctor,
}


def main() -> None:
    """Writes README.md."""
    parts = [HEAD]
    for name, table in TABLES.items():
        path = HERE / "results" / f"{name}.json"
        if path.exists():
            record = json.loads(path.read_text())
            lines = table(record)
            lines += [
                "",
                f"`{record['command']}`, revision {record['revision']}, {record['date']}, {record['hardware']}.",
            ]
            parts.append("\n".join(lines) + "\n")
    (HERE / "README.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()
