"""Our verdicts on BFCL multi-turn trajectories against the official checker's.

Run ``python -m benchmarks.quality.bfcl_agreement``. Plays the 800 gold trajectories and damaged
copies of them (a call dropped, an argument changed, two writes swapped) through our sessions and
through ``multi_turn_checker``, and prints how many each accepts and where they differ. Compared is
not only whether a trajectory is accepted but also which check fails first. A call that is damaged
so that it breaks the documentation, or comes before its function does, is refused by ours and run
by the official executor; such trajectories are counted apart where the check differs.

The official checker is called with its traps avoided: a fresh model name for each run, because it
keeps instances in its module's globals (they are deleted afterwards), and the dictionaries that its
long-context states alias put back after each run.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import itertools
import random
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from benchmarks.quality.bfcl_corruption import CORRUPTIONS, Trajectory
from toolrl_env.core.types import ToolCall
from toolrl_env.data.bfcl import CATEGORIES, BFCLSession
from toolrl_env.data.bfcl.plan import Plan
from toolrl_env.data.bfcl.scenario import read_scenarios
from toolrl_env.tools import as_parsed
from toolrl_env.tools.suites.bfcl import load_library

__all__ = ["Comparison", "compare", "comparisons", "official_verdict", "our_verdict"]

_EVAL = "bfcl_eval.eval_checker.multi_turn_eval"
_KINDS = {
    "multi_turn:instance_state_mismatch": "state",
    "multi_turn:execution_response_mismatch": "response",
    "multi_turn:empty_turn_model_response": "empty",
}
_names = itertools.count()


@dataclass(frozen=True)
class Config:
    """What to run.

    Attributes:
        scenarios: Scenarios of each category, from the first.
        copies: Damaged copies of each kind for each scenario.
    """

    scenarios: int = 200
    copies: int = 1


@dataclass(frozen=True)
class Comparison:
    """Two verdicts on one trajectory: ``"valid"`` or the check that fails first.

    Attributes:
        task_id: The official id.
        kind: ``"gold"`` or the kind of damage.
        official: The official checker's verdict.
        ours: Our session's.
        refused: Calls that our session refused and the official executor ran.
    """

    task_id: str
    kind: str
    official: str
    ours: str
    refused: int = 0

    @property
    def same_verdict(self) -> bool:
        """Whether both accept or both reject."""
        return (self.official == "valid") == (self.ours == "valid")

    @property
    def same_check(self) -> bool:
        """Whether the same check fails first, if any."""
        return self.official == self.ours


def comparisons(config: Config) -> Iterator[Comparison]:
    """Compare every gold trajectory and its damaged copies."""
    for category in CATEGORIES:
        rows = {row["id"]: row for row in load_library().rows(f"multi_turn_{category}")}
        answers = {
            row["id"]: row["ground_truth"]
            for row in load_library().answers(f"multi_turn_{category}")
        }
        for scenario in read_scenarios(category)[: config.scenarios]:
            plan = Plan(scenario)
            for kind, calls in _trajectories(plan, config.copies):
                row, answer = rows[scenario.id], answers[scenario.id]
                yield compare(plan, kind, calls, row, answer)


def _trajectories(plan: Plan, copies: int) -> Iterator[tuple[str, Trajectory]]:
    yield "gold", plan.scenario.gold
    for kind, damage in CORRUPTIONS.items():
        for copy_number in range(copies):
            rng = random.Random(f"{plan.scenario.id} {kind} {copy_number}")
            damaged = damage(plan, rng)
            if damaged is not None:
                yield kind, damaged


def compare(
    plan: Plan, kind: str, calls: Trajectory, row: dict[str, Any], answer: list[list[str]]
) -> Comparison:
    """Return both verdicts on one trajectory."""
    official = official_verdict(calls, row, answer)
    ours, refused = our_verdict(plan, calls)
    return Comparison(plan.scenario.id, kind, official, ours, refused)


def our_verdict(plan: Plan, calls: Trajectory) -> tuple[str, int]:
    """Play a trajectory in a session, each turn's calls as one step.

    Returns:
        The verdict, and how many calls were refused.
    """
    session, refused = BFCLSession(plan), 0
    for turn_calls in calls:
        if turn_calls:
            results = session.execute([as_parsed(call) for call in turn_calls])
            refused += sum(not result.executed for result in results)
        session.reply("")
    return ("valid" if session.success else _first_failure(session, plan, calls)), refused


def _first_failure(session: BFCLSession, plan: Plan, calls: Trajectory) -> str:
    passed = iter(session.progress())
    for turn, (state, response) in zip(plan.checked, zip(passed, passed, strict=True), strict=True):
        if not (state and response):
            return ("response" if state else "state") if calls[turn] else "empty"
    raise AssertionError(f"{plan.scenario.id} failed without a failed check")


def official_verdict(calls: Trajectory, row: dict[str, Any], answer: list[list[str]]) -> str:
    """Give a trajectory to the official checker; an exception out of it is named."""
    checker = importlib.import_module(f"{_EVAL}.multi_turn_checker")
    steps = [[[_written(call) for call in turn]] if turn else [] for turn in calls]
    name = f"toolrl{next(_names)}"
    with _globals_kept(name):
        try:
            verdict = checker.multi_turn_checker(steps, answer, row, "", name)
        except Exception as error:  # to be shown beside our verdict, whatever it is
            return f"raises {type(error).__name__}"
    return "valid" if verdict["valid"] else _KINDS[verdict["error_type"]]


@contextlib.contextmanager
def _globals_kept(name: str) -> Generator[None]:
    """Undo what a run of the official checker leaves in module globals."""
    source = vars(importlib.import_module(f"{_EVAL}.func_source_code.long_context"))
    shared = [
        value
        for key, value in source.items()
        if isinstance(value, dict | list) and not key.startswith("__")
    ]
    before = copy.deepcopy(shared)
    yield
    instances = vars(importlib.import_module(f"{_EVAL}.multi_turn_utils"))
    for key in [key for key in instances if key.startswith(f"{name}_")]:
        del instances[key]
    for value, old in zip(shared, before, strict=True):
        value.clear()
        (value.update if isinstance(value, dict) else value.extend)(old)


def _written(call: ToolCall) -> str:
    return (
        f"{call.name}({', '.join(f'{name}={value!r}' for name, value in call.arguments.items())})"
    )


def main(config: Config) -> int:
    """Run the comparison and print it; the exit status is 1 if a difference has no such reason."""
    found = list(comparisons(config))
    table = Table(title="BFCL multi-turn: our verdicts against the official checker's")
    columns = ("official accepts", "ours accepts", "same verdict", "same check first")
    for column in ("trajectories", "number", *columns):
        table.add_column(column)
    for kind in ("gold", *CORRUPTIONS):
        rows = [comparison for comparison in found if comparison.kind == kind]
        accepted = [sum(v == "valid" for v in side) for side in _sides(rows)]
        same = (sum(row.same_verdict for row in rows), sum(row.same_check for row in rows))
        table.add_row(kind, *map(str, (len(rows), *accepted, *same)))
    console = Console()
    console.print(table)
    console.print("First failed check:", dict(Counter(c.official for c in found)))
    different = [comparison for comparison in found if not comparison.same_check]
    for comparison in different:
        console.print(comparison)
    unexplained = [c for c in different if not c.same_verdict or not c.refused]
    console.print(
        f"{len(found)} trajectories; {sum(bool(c.refused) for c in found)} have a call that ours "
        f"refuses; {len(different)} fail another check first; {len(unexplained)} differ otherwise"
    )
    return 1 if unexplained else 0


def _sides(rows: list[Comparison]) -> tuple[list[str], list[str]]:
    return [row.official for row in rows], [row.ours for row in rows]


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Config)))
