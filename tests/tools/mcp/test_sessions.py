"""What a session of an opaque server is: its calls. Isolation, forks, the pool, threads, forks of
the process."""

from __future__ import annotations

import os
import pickle
import threading

import pytest

from tests.tools.mcp.conftest import PATIENT, exists, gone
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, SnapshotError
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.mcp import MCPServer
from toolrl_env.tools.mcp.log import MCPSnapshot
from toolrl_env.tools.tool import ToolError


def test_sessions_never_see_each_others_writes(server):
    provider = server()
    first, second = provider.open(PATIENT), provider.open(PATIENT)
    assert [first.call("count", {}) for _ in range(3)] == ["1", "2", "3"]
    assert second.call("count", {}) == "1"
    assert first.call("count", {}) == "4"
    assert first.call("pid", {}) != second.call("pid", {})


def test_a_fork_goes_on_from_where_it_was_taken(server):
    provider = server()
    trunk = provider.open(PATIENT)
    trunk.call("count", {"text": "a"})
    trunk.call("count", {"text": "b"})
    snapshot = pickle.loads(pickle.dumps(trunk.snapshot()))
    forks = [provider.open(PATIENT) for _ in range(4)]
    for fork in forks:
        fork.restore(snapshot)
    assert {fork.state_hash() for fork in forks} == {trunk.state_hash()}
    assert [fork.call("count", {}) for fork in forks] == ["3"] * 4
    assert forks[0].call("count", {}) == "4"
    assert trunk.call("count", {}) == "3"
    assert len({tools.state_hash() for tools in (trunk, *forks[1:])}) == 1
    assert forks[0].state_hash() != trunk.state_hash()


def test_a_snapshot_can_be_restored_again_and_in_the_past(server):
    tools = server().open(PATIENT)
    start = tools.snapshot()
    tools.call("count", {})
    later = tools.snapshot()
    for _ in range(2):
        tools.restore(start)
        assert tools.call("count", {}) == "1"
        tools.restore(later)
        assert tools.call("count", {}) == "2"


def test_what_only_reads_is_not_part_of_the_state(server):
    provider = server()
    tools = provider.open(PATIENT)
    before = tools.state_hash()
    tools.call("echo", {"text": "x"})
    assert tools.state_hash() == before
    assert tools.snapshot().log == ()
    assert not tools.writes("echo")
    assert tools.writes("count")
    assert not tools.writes("no such tool")


def test_the_state_hash_depends_on_calls_and_answers_alone(server):
    first, second = server().open(PATIENT), server().open(PATIENT)
    for tools in (first, second):
        tools.call("count", {"text": "x"})
    assert first.state_hash() == second.state_hash()
    assert len(first.state_hash()) == 64
    second.call("count", {"text": "x"})
    assert first.state_hash() != second.state_hash()


def test_snapshots_of_something_else_are_refused(server):
    tools = server().open(PATIENT)
    other = MCPSnapshot("another", (), tools.snapshot().listing)
    for bad in (other, None, {"log": ()}):
        with pytest.raises(SnapshotError, match="'faulty'"):
            tools.restore(bad)


# ------------------------------------------------------------------ how many servers


def test_servers_start_when_they_are_needed(server):
    provider = server()
    assert provider.running() == 0
    sessions = [provider.open(PATIENT) for _ in range(16)]
    assert provider.running() == 1
    assert len({tools.call("pid", {}) for tools in sessions}) == 1
    assert provider.running() == 1  # nobody wrote, so one server is as good as another
    sessions[0].call("count", {})
    sessions[1].call("count", {})
    assert provider.running() == 2


def test_more_sessions_than_servers_take_turns(server):
    provider = server(max_servers=2)
    sessions = [provider.open(PATIENT) for _ in range(5)]
    for expected in ("1", "2", "3"):
        for tools in sessions:
            assert tools.call("count", {}) == expected
            assert provider.running() <= 2


def test_a_server_that_can_be_reset_outlives_its_episodes(server):
    provider = server(reset_tool="reset", max_servers=2)
    pids = set()
    for _ in range(5):
        tools = provider.open(PATIENT)
        assert tools.call("count", {}) == "1"
        pids.add(tools.call("pid", {}))
        tools.close()
        assert provider.running() == 1
    assert len(pids) == 1


def test_a_server_that_was_written_to_and_cannot_be_reset_ends_with_its_session(server):
    provider = server()
    tools = provider.open(PATIENT)
    tools.call("count", {})
    pid = int(tools.call("pid", {}))
    tools.close()
    tools.close()
    assert gone(pid)
    assert provider.running() == 0
    fresh = provider.open(PATIENT)
    assert fresh.call("count", {}) == "1"


@pytest.mark.parametrize("tool", ["refuse", "die", "crash"])
def test_a_server_that_cannot_be_reset_is_replaced(server, tool):
    provider = server(reset_tool=tool)
    first = provider.open(PATIENT)
    first.call("count", {})
    pid = int(first.call("pid", {}))
    first.close()
    second = provider.open(PATIENT)
    assert second.call("count", {}) == "1"
    assert int(second.call("pid", {})) != pid
    assert gone(pid)


def test_unused_servers_can_be_stopped_and_used_ones_stay(server):
    provider = server(reset_tool="reset")
    closed, still_open = provider.open(PATIENT), provider.open(PATIENT)
    for tools in (closed, still_open):
        tools.call("count", {})
    closed.close()
    assert provider.running() == 2
    provider.stop_unused()
    assert provider.running() == 1
    pid = still_open.call("pid", {})
    assert still_open.call("count", {}) == "2"
    assert still_open.call("pid", {}) == pid
    still_open.close()
    provider.stop_unused()
    assert provider.running() == 0


def test_a_session_that_is_dropped_gives_its_server_back(server):
    provider = server(reset_tool="reset")
    pids = set()
    for _ in range(3):
        tools = provider.open(PATIENT)
        tools.call("count", {})
        pids.add(tools.call("pid", {}))
        del tools
    assert len(pids) == 1


def test_a_shared_server_is_one_for_all_and_keeps_no_log(server):
    provider = server(shared=True)
    first, second = provider.open(PATIENT), provider.open(PATIENT)
    before = first.state_hash()
    assert [first.call("count", {}), second.call("count", {})] == ["1", "2"]
    assert first.call("pid", {}) == second.call("pid", {})
    assert first.state_hash() == before == second.state_hash()
    first.close()
    assert second.call("count", {}) == "3"  # the connection outlives the sessions
    provider.stop_unused()
    assert provider.running() == 1
    second.close()
    provider.stop_unused()
    assert provider.running() == 0


def test_a_hanging_call_on_a_shared_server_costs_the_others_nothing(server):
    provider = server(shared=True)
    stuck, other = provider.open(CallLimits(seconds=0.5)), provider.open(PATIENT)
    before = other.call("pid", {})
    with pytest.raises(InfrastructureError, match="no answer"):
        stuck.call("hang", {})
    assert other.call("echo", {"text": "x"}) == "x"
    assert other.call("pid", {}) != before
    assert provider.running() == 1


def test_the_tool_that_resets_must_be_there_and_is_not_offered(server):
    with pytest.raises(ConfigurationError, match=r"reset_tool='rest'.*echo"):
        server(reset_tool="rest").open(PATIENT)
    names = [spec.name for spec in server(reset_tool="reset").open(PATIENT).specs()]
    assert "reset" not in names
    assert "echo" in names


def test_each_server_has_a_folder_of_its_own_if_it_is_prepared(server):
    def prepare(folder):
        (folder / "note.txt").write_text("hello")

    provider = server(prepare=prepare)
    first, second = provider.open(PATIENT), provider.open(PATIENT)
    for tools in (first, second):
        tools.call("count", {})
    found = [tools.call("cwd", {}) for tools in (first, second)]
    assert [where["files"] for where in found] == [["note.txt"]] * 2
    assert found[0]["cwd"] != found[1]["cwd"]
    provider.close()
    assert not any(os.path.exists(where["cwd"]) for where in found)  # noqa: PTH110


def test_a_server_inherits_what_it_is_given_and_little_else(server, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    seen = server(env={"GREETING": "hi"}).open(PATIENT).call("env", {})
    assert seen["GREETING"] == "hi"
    assert "PATH" in seen
    assert "SECRET_TOKEN" not in seen


def test_what_no_message_can_carry_is_refused_and_costs_no_server(server):
    provider = server()
    tools = provider.open(PATIENT)
    pid = tools.call("pid", {})
    for bad in ("\ud800", ["\udfff"], float("nan")):
        with pytest.raises(ToolError, match="cannot be sent"):
            tools.call("echo", {"text": bad})
    for odd in ("\x00", "\u2028\n\r", "😀", '"}\n{"'):
        assert tools.call("echo", {"text": odd}) == odd
    assert tools.call("pid", {}) == pid


# ------------------------------------------------------------------ goals


def test_a_goal_may_call_the_tools_and_its_own_faults_are_ours(server):
    tools = server().open(PATIENT)
    assert tools.holds(lambda live: live.call("echo", {"text": "x"}) == "x")
    assert not tools.holds(lambda live: live.call("echo", {"text": "x"}) == "y")
    with pytest.raises(InfrastructureError, match="ZeroDivisionError"):
        tools.holds(lambda live: 1 / 0)
    with pytest.raises(InfrastructureError, match="ended with code 3"):
        tools.holds(lambda live: live.call("die", {}))


# ------------------------------------------------------------------ threads and processes


def test_many_threads_call_at_the_same_time(server):
    provider = server(max_servers=4)
    sessions = [provider.open(PATIENT) for _ in range(8)]
    found = [[] for _ in sessions]
    start = threading.Barrier(8, timeout=60)

    def play(number):
        start.wait()
        for _ in range(5):
            found[number].append(sessions[number].call("count", {"text": f"{number}:"}))

    threads = [threading.Thread(target=play, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, counted in enumerate(found):
        assert counted == [f"{number}:{count}" for count in range(1, 6)]
    assert provider.running() <= 4


def test_a_shared_connection_carries_calls_of_many_threads(server):
    provider = server(shared=True)
    sessions = [provider.open(PATIENT) for _ in range(8)]
    found = {}

    def play(number):
        found[number] = sessions[number].call("echo", {"text": str(number)})

    threads = [threading.Thread(target=play, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: str(number) for number in range(8)}
    assert provider.running() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks there")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # a fork with threads is the point
def test_a_forked_child_has_servers_of_its_own(server):
    provider = server()
    tools = provider.open(PATIENT)
    tools.call("count", {})
    pid = int(tools.call("pid", {}))
    child = os.fork()
    if not child:
        code = 1
        try:
            same = tools.call("count", {}) == "2"
            other = int(tools.call("pid", {}))
            provider.close()
            code = 0 if same and other != pid and exists(pid) and gone(other) else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert tools.call("count", {}) == "2"
    assert int(tools.call("pid", {})) == pid


def test_a_provider_travels_without_its_servers(server):
    provider = server(reset_tool="reset")
    provider.open(PATIENT).call("count", {})
    twin = pickle.loads(pickle.dumps(provider))
    assert twin == provider
    assert twin.running() == 0
    assert twin.open(PATIENT).call("count", {}) == "1"
    twin.close()


def test_a_refused_replay_is_a_replay(server):
    provider = server()
    tools, fork = provider.open(PATIENT), provider.open(PATIENT)
    with pytest.raises(ToolError):
        tools.call("refuse", {})
    fork.restore(tools.snapshot())
    tools.call("count", {})
    assert fork.call("count", {}) == "11"


def test_settings_are_those_of_a_clients_settings_file():
    provider = MCPServer.from_config("x", {"type": "stdio", "command": "run", "args": ["a"]})
    assert provider == MCPServer("x", command="run", args=("a",))
