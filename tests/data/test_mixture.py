from __future__ import annotations

from collections import Counter

import pytest

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import GroundTruth, Message, Task
from toolrl_env.data.mixture import mix
from toolrl_env.data.source import TaskSet

GOLD = GroundTruth("<think> t </think>", False, False)


def part(name: str, size: int, **changes: object) -> TaskSet:
    tasks = tuple(
        Task(f"{name}-{i}", name, (), (Message("user", f"{i}"),), GOLD) for i in range(size)
    )
    return TaskSet(name, "test", tasks, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sizes", "rounds"), [((9, 3, 8), 3), ((4, 5, 6), 2), ((2, 1, 1), 1), ((100, 60, 10), 10)]
)
def test_the_mixture_is_2_to_1_to_1_and_as_large_as_can_be(
    sizes: tuple[int, int, int], rounds: int
) -> None:
    toolace, hammer, xlam = (
        part(n, s) for n, s in zip(("toolace", "hammer", "xlam"), sizes, strict=True)
    )
    mixed = mix(toolace, hammer, xlam, "test")
    expected = {"toolace": 2 * rounds, "hammer": rounds, "xlam": rounds}
    assert Counter(task.source for task in mixed) == expected
    for start in range(0, len(mixed), 4):
        block = [mixed[start + i].source for i in range(4)]
        assert block == ["toolace", "toolace", "hammer", "xlam"]
    assert (mixed.name, mixed.split) == ("rlla", "test")


def test_the_order_does_not_depend_on_the_order_of_the_parts() -> None:
    toolace, hammer, xlam = part("toolace", 20), part("hammer", 10), part("xlam", 10)
    backwards = TaskSet("toolace", "test", tuple(reversed(toolace.tasks)))
    assert mix(toolace, hammer, xlam, "test").tasks == mix(backwards, hammer, xlam, "test").tasks


def test_whatever_the_parts_say_is_kept() -> None:
    toolace = part("toolace", 4, licence="Apache-2.0", is_sample=True)
    hammer = part("hammer", 2, licence="CC-BY-4.0", options={"seed": 3})
    xlam = part("xlam", 2, licence="CC-BY-4.0")
    mixed = mix(toolace, hammer, xlam, "test")
    assert mixed.licence == "Apache-2.0 AND CC-BY-4.0"
    assert mixed.is_sample
    assert mixed.options["hammer"] == {"seed": 3}


def test_too_few_tasks_for_one_round() -> None:
    with pytest.raises(DataError, match="too small for a mixture"):
        mix(part("toolace", 1), part("hammer", 5), part("xlam", 5), "test")
