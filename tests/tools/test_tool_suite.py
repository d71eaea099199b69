"""ToolSuite: marked methods are tools; state is saved and put back."""

from __future__ import annotations

import copy
import pickle

import pytest

from toolrl_env.core.errors import ConfigurationError, SnapshotError
from toolrl_env.core.types import ToolCall
from toolrl_env.tools import SuiteSnapshot, ToolError, ToolSuite, execute_calls, read, write


class Notes(ToolSuite):
    """A small stateful suite."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.author = "ann"

    @read
    def count(self) -> int:
        """Count the notes."""
        return len(self.notes)

    @write
    def add(self, text: str) -> int:
        """Add a note.

        Args:
            text: What to note.
        """
        if not text:
            raise ToolError("an empty note")
        self.notes.append(text)
        return self.count()

    def helper(self) -> str:
        return "not a tool"


class More(Notes):
    @read
    def last(self) -> str:
        """Return the last note."""
        return self.notes[-1]

    @read
    def count(self) -> int:
        """Count twice."""
        return 2 * len(self.notes)


def test_marked_methods_are_the_tools() -> None:
    assert [tool.name for tool in Notes().tools()] == ["count", "add"]
    assert [tool.name for tool in More().tools()] == ["count", "add", "last"]
    assert {name: m.writes for name, m in Notes().methods().items()} == {
        "count": False,
        "add": True,
    }
    assert list(Notes().tools()[1].spec.parameters["properties"]) == ["text"]


def test_methods_can_be_called_as_usual() -> None:
    notes = Notes()
    assert notes.add("x") == 1
    assert notes.add(text="y") == 2
    assert More().count() == 0
    assert Notes.add.__doc__ is not None
    assert Notes.add.spec.name == "add"


def test_an_override_counts() -> None:
    more = More()
    assert more.add("x") == 2
    assert more.tools()[0].spec.description == "Count twice."


def test_tools_act_on_their_own_instance() -> None:
    one, two = Notes(), Notes()
    results = execute_calls(one.tools(), [ToolCall("add", {"text": "a"}), ToolCall("count", {})])
    assert [r.value for r in results] == [1, 1]
    assert two.count() == 0
    (refused,) = execute_calls(one.tools(), [ToolCall("add", {"text": ""})])
    assert not refused.ok


def test_snapshot_and_restore() -> None:
    notes = Notes()
    notes.add("a")
    saved = notes.snapshot()
    notes.add("b")
    notes.stray = 1  # type: ignore[attr-defined]
    notes.restore(saved)
    assert vars(notes) == {"notes": ["a"], "author": "ann"}
    other = Notes()
    other.restore(saved)
    other.add("c")
    assert notes.notes == ["a"]
    again = Notes()
    again.restore(saved)
    assert again.notes == ["a"]


def test_tools_made_before_a_restore_see_the_restored_state() -> None:
    notes = Notes()
    tools = notes.tools()
    saved = notes.snapshot()
    execute_calls(tools, [ToolCall("add", {"text": "a"})])
    notes.restore(saved)
    assert execute_calls(tools, [ToolCall("count", {})])[0].value == 0


def test_a_snapshot_survives_pickling_and_is_comparable() -> None:
    notes = Notes()
    saved = notes.snapshot()
    assert pickle.loads(pickle.dumps(saved)) == saved == notes.snapshot()
    assert isinstance(saved, SuiteSnapshot)


def test_suites_can_be_copied() -> None:
    notes = Notes()
    notes.add("a")
    other = copy.deepcopy(notes)
    other.add("b")
    assert notes.notes == ["a"]


def test_a_snapshot_of_another_suite_is_refused() -> None:
    with pytest.raises(SnapshotError, match="Notes"):
        More().restore(Notes().snapshot())


def test_a_state_that_cannot_be_saved_is_refused() -> None:
    notes = Notes()
    notes.handle = lambda: None  # type: ignore[attr-defined]
    with pytest.raises(SnapshotError, match="Notes cannot be saved"):
        notes.snapshot()


def test_a_suite_without_tools_is_refused() -> None:
    class Empty(ToolSuite):
        pass

    with pytest.raises(ConfigurationError, match="Empty"):
        Empty().tools()


def test_a_bad_tool_fails_where_it_is_written() -> None:
    with pytest.raises(ConfigurationError, match="'broken'"):

        class Broken(ToolSuite):
            @write
            def broken(self, text: str) -> str:
                """Not described."""
                return text


def test_suites_are_equal_if_their_class_and_state_are() -> None:
    one, two = Notes(), Notes()
    assert one == two
    one.add("a")
    assert one != two
    two.add("a")
    assert one == two
    assert More() != Notes()
    assert one != ["a"]
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_the_state_hash_follows_the_state() -> None:
    notes = Notes()
    start = notes.state_hash()
    saved = notes.snapshot()
    notes.add("a")
    assert notes.state_hash() != start
    notes.restore(saved)
    assert notes.state_hash() == start == Notes().state_hash()


def test_64_forks_share_nothing() -> None:
    notes = Notes()
    notes.add("a")
    forks = [notes.fork() for _ in range(64)]
    for number, fork in enumerate(forks):
        fork.add(str(number))
    assert [fork.notes for fork in forks] == [["a", str(number)] for number in range(64)]
    assert notes.notes == ["a"]
    assert type(More().fork()) is More


def test_a_fork_does_not_need_the_constructor() -> None:
    class Counted(Notes):
        made = 0

        def __init__(self) -> None:
            super().__init__()
            type(self).made += 1

    Counted().fork().fork()
    assert Counted.made == 1
