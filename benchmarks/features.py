"""What can be learned from a discriminator's features and a few labels, of digits, animals and an attribute of avatars.

python benchmarks/features.py --runs runs/mnist runs/animals runs/avatars=glasses

Each run is a DCGAN that was trained without labels; it is named with the attribute that is to be told, if its data have
several. It is compared with the same support vector machine on pixels and on features of the same network untrained,
and with the same network when the labels alone teach it (Radford et al. 2016, section 5.1; docs/guide/few-labels.md).
The pictures that are asked about the run has not seen: MNIST's test digits, or what it held out.

Nothing is trained but what learns from the labels. Each run is written when it is done, under `features` in
results/conditional.json; the other keys stay as they are.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from conditional import made
from evidence import entry, held, publish

from saddlepoint import load
from saddlepoint.errors import UsageError
from saddlepoint.evaluation.probe import COUNT, LABELS, SEEDS, STEPS, probe


def known_by(name: str, given: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """What the run knows, under the name of its data and of the attribute."""
    path, _, attribute = name.partition("=")
    run = load(path, device="cpu")
    found = probe(run, labels=given.labels, by=attribute or (), seeds=given.seeds, count=given.count, steps=given.steps)
    how = found.how
    if how["seen in training"] is not False:
        raise UsageError("the run has seen what it would be asked about", where=path, fix="train with --holdout 0.1")
    if how["taught classes in training"]:
        raise UsageError("the run was told the classes while it trained", where=path, fix="ask a run of dcgan")
    rows = {str(row.pop("labels")): {who: rounded(each) for who, each in row.items()} for row in found.facts()["rows"]}
    asked = {key: how[key] for key in ("lessons", "questions", "asked", "guessed", "features")}
    data = run.config["data"]["name"] + (f" by {attribute}" if attribute else "")
    return data, {**rows, **asked, "classes": len(how["classes"]), **made(run)}


def rounded(spread: dict[str, Any]) -> dict[str, Any]:
    """Mean, deviation and all accuracies with as many digits as count."""
    return {
        "mean": round(spread["mean"], 5),
        "std": None if spread["std"] is None else round(spread["std"], 5),
        "accuracies": [round(each, 5) for each in spread["accuracies"]],
    }


def main() -> None:
    """Asks one run after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", required=True, metavar="RUN[=ATTRIBUTE]")
    parser.add_argument("--labels", nargs="+", type=int, default=LABELS)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="choices of labels")
    parser.add_argument("--count", type=int, default=COUNT, help="most pictures that are asked about")
    parser.add_argument("--steps", type=int, default=STEPS, help="of the supervised network")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.runs:
        data, known = known_by(name, given)
        # Read again: another benchmark may have written its part in the meantime.
        figures = held("conditional")
        figures.setdefault("features", {})[data] = known
        publish("conditional", figures, seed=0, as_json=given.json)


if __name__ == "__main__":
    entry(main)
