"""How fast answers are scored, on one core, against a plain implementation in the same run.

    python -m benchmarks.speed.scoring [--golden ../shared/data/rlla_reward_golden.jsonl.gz]

Both score the same rows with the same flags, are checked to agree on every one of them, and are
then timed in turns; the median of the rounds counts. The product remembers gold answers and what
the calls of an answer were worth, because in training a group of answers shares a gold answer and
repeats itself. So that nobody takes that for the whole of it, the ratio is given

* over the rows as they are, after a first pass, as in a second epoch;
* over the rows as they are, every answer forgotten before each round, as in a first epoch;
* over distinct pairs of answer and gold answer, likewise;
* over the same pairs, each with a gold text that occurs once and was never met before.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.speed.plain_reward import plain_reward
from toolrl_env.rewards import RewardConfig, forget, score_response

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "rlla_reward_golden.jsonl.gz"
ROUNDS = 5
_NUMBER = itertools.count()

Row = tuple[str, str, int, set[str], RewardConfig]


def load(path: Path) -> list[Row]:
    """Return the rows of a golden file whose gold answer can be scored."""
    rows: list[Row] = []
    configs: dict[frozenset[str], RewardConfig] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if "error" in row["expected"]:
                continue
            flags = frozenset(row["flags"])
            config = configs.setdefault(flags, RewardConfig.from_reference_flags(flags))
            rows.append((row["response"], row["ground_truth"], row["step"], set(flags), config))
    return rows


def distinct(rows: list[Row]) -> list[Row]:
    """Return the first row of every pair of answer and gold answer."""
    return list({row[:2]: row for row in reversed(rows)}.values())


def check(rows: list[Row]) -> None:
    """Make sure that both implementations agree.

    Raises:
        AssertionError: They differ on a row.
    """
    for answer, gold, step, flags, config in rows:
        ours = score_response(answer, gold, config, step).total
        if ours != plain_reward(answer, gold, step, flags):
            raise AssertionError(f"the implementations differ on {answer!r} against {gold!r}")


def run_ours(rows: list[Row]) -> None:
    """Score every row with the product."""
    for answer, gold, step, _, config in rows:
        score_response(answer, gold, config, step)


def run_plain(rows: list[Row]) -> None:
    """Score every row with the plain implementation."""
    for answer, gold, step, flags, _ in rows:
        plain_reward(answer, gold, step, flags)


def forgetful(rows: list[Row]) -> list[Row]:
    """Make the product forget every answer, and return the rows."""
    forget()
    return rows


def unseen(rows: list[Row]) -> list[Row]:
    """Return the rows with gold texts that differ, in trailing words only, from all others."""
    return [(row[0], f"{row[1]} {next(_NUMBER)}", *row[2:]) for row in forgetful(rows)]


def measure(rows: list[Row], prepare: Callable[[list[Row]], list[Row]]) -> dict[str, float]:
    """Time both implementations in turns.

    Args:
        rows: The rows.
        prepare: What to do to the rows before each round.

    Returns:
        Median rows per CPU second of each, and the median over the rounds of their ratio.
    """
    rates: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(ROUNDS):
        batch = prepare(rows)
        for name, runner in (("ours", run_ours), ("plain", run_plain)):
            start = time.process_time()
            runner(batch)
            rates[name].append(len(batch) / (time.process_time() - start))
    ratios = [ours / plain for ours, plain in zip(rates["ours"], rates["plain"], strict=True)]
    return {
        "rows": len(rows),
        "rows_per_s": round(statistics.median(rates["ours"])),
        "plain_rows_per_s": round(statistics.median(rates["plain"])),
        "ratio": round(statistics.median(ratios), 2),
    }


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=Path, default=GOLDEN, help="golden rows, .jsonl.gz")
    rows = load(parser.parse_args().golden)
    check(rows)
    once = distinct(rows)
    figures = {
        "rows as they are": measure(rows, list),
        "rows as they are, nothing remembered": measure(rows, forgetful),
        "distinct pairs, nothing remembered": measure(once, forgetful),
        "distinct pairs, every gold answer new": measure(once, unseen),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
