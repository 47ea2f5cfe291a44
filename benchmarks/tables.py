"""Writes the tables of benchmarks/README.md from the files in results/.

python benchmarks/tables.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


def main() -> None:
    """Writes README.md."""
    parts = [HEAD]
    for name, table in (("step", step), ("data", data), ("kills", kills), ("doctor", doctor)):
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
