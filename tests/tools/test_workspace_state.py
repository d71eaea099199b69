"""The office's state: snapshots, forks, pickles, comparison, and the canonical hash."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fresh_process import in_fresh_processes
from tests.tools.workspace_support import ADA, BO, ROWS, call, small_office
from toolrl_env.core.errors import SnapshotError
from toolrl_env.core.types import ToolCall
from toolrl_env.testing import check_tools
from toolrl_env.tools import CallLimits, SuiteSnapshot, ToolError, run_calls
from toolrl_env.tools.suites.workspace import MAX_BYTES, TABLES, Database, Image, WorkspaceSuite
from toolrl_env.tools.suites.workspace.schema import empty_database
from toolrl_env.tools.toolkit import toolkit


def test_a_snapshot_is_put_back_any_number_of_times() -> None:
    office = small_office()
    begin, first = office.snapshot(), office.state_hash()
    for number in range(5):
        office.create_file(f"/new-{number}.txt", "x")
        office.cancel_event(11)
        assert office.state_hash() != first
        office.restore(begin)
        assert office.state_hash() == first
        assert office == small_office()


def test_a_snapshot_in_the_middle_goes_on_elsewhere_as_it_would_have_here() -> None:
    here, there = small_office(), small_office()
    here.create_task("One", ADA, "2027-03-02")
    there.restore(here.snapshot())
    for office in (here, there):
        office.create_task("Two", BO, "2027-03-02")
        office.assign_task(33, BO)
    assert here == there
    assert here.state_hash() == there.state_hash()


def test_sixty_four_forks_never_see_each_others_writes() -> None:
    office = small_office()
    office.create_file("/common.txt", "common")
    snapshot = office.snapshot()
    forks = [WorkspaceSuite(Database(office.database.base)) for _ in range(64)]
    for fork in forks:
        fork.restore(snapshot)
    for step in range(3):
        for number, fork in enumerate(forks):
            fork.append_to_file("/common.txt", f"{number}.{step}")
            fork.create_file(f"/fork-{number}-{step}.txt", "x")
    for number, fork in enumerate(forks):
        expected = "\n".join(["common", *(f"{number}.{step}" for step in range(3))])
        assert fork.read_file("/common.txt") == expected
        assert fork.list_folder("/common.txt") == []
        paths = [row[0] for row in fork.database.rows("files")]
        assert sum(str(path).startswith("/fork-") for path in paths) == 3
    assert len({fork.state_hash() for fork in forks}) == 64
    assert office.read_file("/common.txt") == "common"


def test_the_office_keeps_the_promises_of_a_suite_and_runs_isolated() -> None:
    office = small_office()
    examples = [ToolCall("create_file", {"path": "/a.txt", "content": "x"})]
    check_tools(office, [*examples, ToolCall("read_file", {"path": "/a.txt"})])
    fork = office.fork()
    assert (fork == office, type(fork)) == (True, WorkspaceSuite)
    opened = [toolkit(office, isolation=how).open(CallLimits()) for how in (None, "process")]
    for tools in opened:
        assert run_calls(tools, examples)[0].ok
    assert opened[0].state_hash() == opened[1].state_hash()
    assert office == small_office()
    opened[1].close()


def test_an_office_pickles_and_copies_with_its_state() -> None:
    office = small_office()
    office.complete_task(31)
    for other in (pickle.loads(pickle.dumps(office)), copy.deepcopy(office)):
        assert other == office
        assert other.state_hash() == office.state_hash()
        other.reopen_task(31)
        assert other != office
        assert other == small_office()


def test_a_snapshot_pickles_and_is_small() -> None:
    office = small_office()
    office.delete_mail(21)
    data = pickle.dumps(office.snapshot())
    assert len(data) < 40_000
    other = small_office()
    other.restore(pickle.loads(data))
    assert other == office


def test_a_snapshot_of_an_office_with_other_rows_is_restored_as_a_whole() -> None:
    office = small_office()
    other = WorkspaceSuite(
        Database(Image.of({"contacts": [(7, "Cy Ox", "cy@o.example", "", "", "")]}))
    )
    office.restore(other.snapshot())
    assert office == other
    assert office.state_hash() == other.state_hash()
    assert office.find_contacts("ada") == []
    assert office.find_contacts("cy")[0]["contact_id"] == 7


@pytest.mark.parametrize(
    "state", [b"", b"nonsense", b"key\nnot a database", b"key tables\nSQLite format 3\0"]
)
def test_what_is_no_snapshot_is_refused(state: bytes) -> None:
    office = small_office()
    with pytest.raises(SnapshotError):
        office.restore(SuiteSnapshot("WorkspaceSuite", state))
    with pytest.raises(SnapshotError, match="Other"):
        office.restore(SuiteSnapshot("Other", office.snapshot().state))
    assert office == small_office()


def test_the_hash_depends_on_the_rows_and_not_on_how_they_came_to_be() -> None:
    one, two = small_office(), small_office()
    one.create_file("/a.txt", "a")
    one.create_file("/b.txt", "b")
    two.create_file("/b.txt", "x")
    two.delete_file("/b.txt")
    two.create_file("/b.txt", "b")
    two.create_file("/a.txt", "a")
    assert one.state_hash() == two.state_hash()
    assert one == two
    two.delete_file("/a.txt")
    two.delete_file("/b.txt")
    assert two.state_hash() == small_office().state_hash()


def test_every_column_of_every_table_counts_in_the_hash() -> None:
    seen = {small_office().state_hash()}
    for name, rows in ROWS.items():
        for index in range(len(rows[0])):
            row = list(rows[0])
            value = row[index]
            row[index] = f"{value}x" if isinstance(value, str) else (value or 0) + 900
            changed = {**ROWS, name: [tuple(row), *rows[1:]]}
            seen.add(WorkspaceSuite(Database(Image.of(changed))).state_hash())
    assert len(seen) == 1 + sum(len(TABLES[name].columns) for name in ROWS)


def test_the_hash_is_the_same_in_another_process() -> None:
    program = (
        "from tests.tools.workspace_support import small_office as s; o = s(); "
        "o.create_file('/ä.txt', 'ü'); print(o.state_hash())"
    )
    printed = in_fresh_processes(program)
    office = small_office()
    office.create_file("/ä.txt", "ü")
    assert printed == {f"{office.state_hash()}\n"}


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("create_file"), st.sampled_from("abc"), st.text(max_size=5)),
        st.tuples(st.just("delete_file"), st.sampled_from("abc")),
        st.tuples(st.just("append_to_file"), st.sampled_from("abc"), st.text(max_size=5)),
    ),
    max_size=12,
)


@given(before=OPERATIONS, after=OPERATIONS)
def test_restore_undoes_any_sequence_of_writes(
    before: list[tuple[str, ...]], after: list[tuple[str, ...]]
) -> None:
    office = small_office()
    _apply(office, before)
    snapshot, rows = office.snapshot(), _rows(office)
    _apply(office, after)
    office.restore(snapshot)
    assert _rows(office) == rows
    again = small_office()
    _apply(again, before)
    assert again == office
    assert again.state_hash() == office.state_hash()


def _apply(office: WorkspaceSuite, operations: list[tuple[str, ...]]) -> None:
    for name, path, *rest in operations:
        try:
            office.methods()[name].fn(office, f"/{path}.txt", *rest)
        except ToolError:
            continue


def _rows(office: WorkspaceSuite) -> dict[str, object]:
    return {name: office.database.rows(name) for name in TABLES}


def test_a_full_office_refuses_to_grow_and_still_works() -> None:
    office = small_office()
    text = "x" * 4000
    number = 0
    while call(office, "create_file", path=f"/big-{number}.txt", content=text).ok:
        number += 1
    assert 500 < number < MAX_BYTES // 4000
    before = office.state_hash()
    with pytest.raises(ToolError, match="full"):
        office.create_file("/more.txt", text)
    assert office.state_hash() == before
    assert len(office.snapshot().state) <= MAX_BYTES + 1000
    assert office.find_contacts("ada")
    office.delete_file("/big-0.txt")
    assert office.create_file("/more.txt", "small")


def test_an_empty_office_has_every_table_and_no_row() -> None:
    office = WorkspaceSuite()
    assert empty_database().startswith(b"SQLite format 3\0")
    assert all(office.database.rows(name) == () for name in TABLES)
    assert office.who_am_i() == {"name": "", "email": ""}
    assert office != small_office()
    assert office != "an office"
