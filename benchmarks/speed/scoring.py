"""How fast answers are scored, on one core, against a plain implementation in the same run.

    python -m benchmarks.speed.scoring [--golden ../shared/data/rlla_reward_golden.jsonl.gz]

Both score the same rows with the same flags, are checked to agree on every one of them, and are
then timed in turns; the median of the rounds counts. The ratio is given over the rows as they are
(a gold answer comes back many times, as it does in training, where a group of answers shares it)
and, so that nobody thinks that caching alone does it, over distinct pairs of answer and gold answer
and over the same pairs with gold answers that the product has never met before.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import time
from pathlib import Path

from benchmarks.speed.plain_reward import plain_reward
from toolrl_env.rewards import RewardConfig, score_response

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "rlla_reward_golden.jsonl.gz"
ROUNDS = 5

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


def unseen(rows: list[Row], number: int) -> list[Row]:
    """Return rows whose gold texts differ, in trailing words only, from any other such list."""
    return [(row[0], f"{row[1]} {number}.{index}", *row[2:]) for index, row in enumerate(rows)]


def measure(rows: list[Row], *, fresh: bool = False) -> dict[str, float]:
    """Time both implementations in turns.

    Args:
        rows: The rows.
        fresh: Give the gold answers a text never seen before in every round.

    Returns:
        Median rows per CPU second of each, and the median over the rounds of their ratio.
    """
    rates: dict[str, list[float]] = {"ours": [], "plain": []}
    for number in range(ROUNDS):
        batch = unseen(rows, number) if fresh else rows
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
        "rows as they are": measure(rows),
        "distinct pairs of answer and gold": measure(once),
        "distinct pairs, every gold answer new": measure(once, fresh=True),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
