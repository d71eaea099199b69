"""isolation="process": what hangs, grows or dies is stopped, and nothing else suffers."""

from __future__ import annotations

import functools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.tools.isolation.hostile import Hostile, counts_to, is_two, never_ends
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, SnapshotError
from toolrl_env.core.types import FailureKind, ToolCall
from toolrl_env.tools import ToolError, run_calls, tool_from_function
from toolrl_env.tools.isolation import IsolatedProvider, client
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.local import FunctionProvider, SuiteProvider
from toolrl_env.tools.toolkit import toolkit

SUITE = SuiteProvider(Hostile, "hostile")
PROVIDER = IsolatedProvider.of(SUITE, memory_mb=256)
LIMITS = CallLimits(seconds=30, result_chars=500)
HASTY = CallLimits(seconds=0.3)


@pytest.fixture
def tools():
    opened = PROVIDER.open(LIMITS)
    yield opened
    opened.close()


def wait_until_gone(pids):
    """Wait until no process of ``pids`` is left, not even as a zombie."""
    end = time.monotonic() + 30
    while left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < end, f"still there: {left}"
        time.sleep(0.01)


def noted(path):
    return [int(line) for line in path.read_text().split()]


STUCK = ["spin", "sleep", "regex", "ignore signals", "fork", "escape", "ask"]


@pytest.mark.parametrize("how", STUCK)
def test_what_hangs_is_killed_with_all_of_its_children(tools, tmp_path, how):
    path = tmp_path / "pids"
    tools.call("add", {"amount": 2})
    before, others = tools.state_hash(), tools.call("pid", {})
    hasty = PROVIDER.open(HASTY)
    hasty.restore(tools.snapshot())
    with pytest.raises(InfrastructureError) as caught:
        hasty.call("misbehave", {"how": how, "path": str(path)})
    assert caught.value.kind is FailureKind.TIMEOUT
    assert noted(path)
    wait_until_gone({*noted(path), hasty._worker.pid})
    assert (tools.call("pid", {}), tools.call("add", {})) == (others, 3)
    tools.restore(hasty.snapshot())
    assert tools.state_hash() == before
    hasty.close()


def test_a_session_goes_on_after_a_call_was_killed(tmp_path):
    tools = PROVIDER.open(CallLimits(seconds=2))
    tools.call("add", {"amount": 2})
    pid = tools.call("pid", {})
    with pytest.raises(InfrastructureError):
        tools.call("misbehave", {"how": "spin", "path": str(tmp_path / "pids")})
    assert tools.call("add", {}) == 3
    assert tools.call("pid", {}) != pid
    tools.close()
    wait_until_gone([pid])


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("exit", "worker_killed"),
        ("suicide", "worker_killed"),
        ("segfault", "worker_killed"),
        ("allocate", "worker_killed"),
        ("allocate slowly", "worker_killed"),
        ("sys.exit", "tool_crashed"),
        ("raise", "tool_crashed"),
        ("set", "bad_result"),
        ("nan", "bad_result"),
        ("deep", "bad_result"),
        ("forge", "bad_result"),
        ("ours", "server_down"),
    ],
)
def test_every_failure_has_its_kind_and_loses_no_state(tmp_path, how, kind):
    tools = PROVIDER.open(CallLimits(seconds=20))
    tools.call("add", {"amount": 2})
    pid = tools.call("pid", {})
    with pytest.raises(InfrastructureError) as caught:
        tools.call("misbehave", {"how": how, "path": str(tmp_path / "pids")})
    assert caught.value.kind == kind
    wait_until_gone([pid])
    assert tools.holds(is_two)
    assert tools.call("add", {}) == 3
    tools.close()


def test_a_forged_pickle_is_never_loaded(tools, tmp_path):
    path = tmp_path / "bomb"
    with pytest.raises(InfrastructureError):
        tools.call("misbehave", {"how": "forge", "path": str(path)})
    assert not path.exists()


def test_a_crash_says_where(tools):
    with pytest.raises(InfrastructureError, match=r"raised KeyError(.|\n)*hostile\.py"):
        tools.call("misbehave", {"how": "raise"})


def test_a_daemon_that_a_tool_leaves_behind_ends_with_the_session(tmp_path):
    path = tmp_path / "pids"
    tools = PROVIDER.open(CallLimits())
    assert tools.call("misbehave", {"how": "daemon", "path": str(path)}) == "returned"
    (daemon,) = noted(path)
    assert Path(f"/proc/{daemon}").exists()
    tools.close()
    wait_until_gone([daemon])


def test_noise_does_not_reach_the_channel(tools, capfd):
    assert tools.call("misbehave", {"how": "noise"}) == ""
    assert tools.call("echo", {"value": ["ü", "\ud800", 1.5, None]}) == ["ü", "\ud800", 1.5, None]
    assert capfd.readouterr() == ("", "")


def test_a_huge_result_is_cut_before_it_leaves_the_worker():
    tools = IsolatedProvider.of(SUITE, memory_mb=1024).open(CallLimits(result_chars=100))
    value = tools.call("misbehave", {"how": "big"})
    assert value == '"' + "x" * 99 + " … [cut: 199999902 more characters]"
    tools.close()


def test_a_refusal_is_one_and_keeps_what_was_written(tools):
    with pytest.raises(ToolError, match="added, but no"):
        tools.call("refuse_after_adding", {})
    assert tools.call("add", {}) == 2


def test_calls_are_validated_first_and_results_are_as_in_this_process(tools):
    calls = [ToolCall("add", {"amount": "x"}), ToolCall("add", {"amount": 2.0}), ToolCall("ad", {})]
    calls.append(ToolCall("echo", {"value": {"a": [1, "b"]}}))
    local = SUITE.open(LIMITS)
    assert run_calls(tools, calls) == run_calls(local, calls)
    assert tools.specs() == local.specs()
    assert tools.state_hash() == local.state_hash()
    assert [tools.writes(n) for n in ("add", "echo", "none")] == [True, False, False]


def test_a_state_goes_into_another_session_and_through_a_pickle(tools):
    tools.call("add", {"amount": 4})
    saved = pickle.loads(pickle.dumps(tools.snapshot()))
    tools.call("add", {})
    other = PROVIDER.open(LIMITS)
    other.restore(saved)
    assert other._worker is None, "nothing is started before it is needed"
    assert other.snapshot() == saved
    assert other.holds(functools.partial(counts_to, 4))
    twin = pickle.loads(pickle.dumps(tools))
    assert twin.state_hash() == tools.state_hash() != other.state_hash()
    tools.restore(saved)
    assert tools.state_hash() == other.state_hash()
    other.close()
    twin.close()


@pytest.mark.parametrize("snapshot", [None, Hostile().snapshot(), b"x"])
def test_what_is_no_snapshot_of_theirs_is_refused(tools, snapshot):
    with pytest.raises(SnapshotError):
        tools.restore(snapshot)


def test_a_goal_that_hangs_is_stopped_too(tools):
    tools.call("add", {"amount": 2})
    hasty = PROVIDER.open(HASTY)
    hasty.restore(tools.snapshot())
    with pytest.raises(InfrastructureError) as caught:
        hasty.holds(never_ends)
    assert caught.value.kind is FailureKind.TIMEOUT
    tools.restore(hasty.snapshot())
    assert tools.holds(is_two)


def test_a_worker_killed_while_it_waits_is_noticed_and_replaced(tools):
    tools.call("add", {"amount": 2})
    os.kill(tools.call("pid", {}), signal.SIGKILL)
    with pytest.raises(InfrastructureError) as caught:
        tools.call("add", {})
    assert caught.value.kind is FailureKind.WORKER_KILLED
    assert tools.call("add", {}) == 3


def test_tools_that_are_forgotten_end_their_process():
    tools = PROVIDER.open(LIMITS)
    pid = tools.call("pid", {})
    del tools
    wait_until_gone([pid])


def test_close_may_be_called_twice_and_what_is_closed_may_go_on(tools):
    tools.call("add", {"amount": 2})
    tools.close()
    tools.close()
    assert tools.call("add", {}) == 3


def test_interrupting_a_call_ends_the_worker_and_keeps_the_state(tools, tmp_path):
    tools.call("add", {"amount": 2})
    pid, patient = tools.call("pid", {}), PROVIDER.open(CallLimits())
    patient.restore(tools.snapshot())
    sleeping = tmp_path / "pids"

    def interrupt() -> None:
        while not sleeping.exists():
            time.sleep(0.005)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        patient.call("misbehave", {"how": "sleep", "path": str(sleeping)})
    thread.join()
    wait_until_gone(noted(sleeping))
    assert patient.call("add", {}) == 3
    assert tools.call("pid", {}) == pid
    patient.close()


def test_many_threads_have_sessions_of_their_own():
    found: dict[int, int] = {}

    def play(number: int) -> None:
        tools = PROVIDER.open(CallLimits())
        for _ in range(number):
            tools.call("add", {})
        found[number] = tools.call("add", {"amount": 0})
        tools.close()

    threads = [threading.Thread(target=play, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: number for number in range(8)}


def double(number: int) -> int:
    """Double a number.

    Args:
        number: It.
    """
    return 2 * number


def test_functions_can_be_isolated():
    provider = IsolatedProvider.of(FunctionProvider((tool_from_function(double),)))
    tools = provider.open(LIMITS)
    assert tools.call("double", {"number": 4}) == 8
    assert not tools.writes("double")
    tools.close()


def test_what_cannot_be_sent_is_refused_when_it_is_given():
    def local(number: int) -> int:
        """Return it.

        Args:
            number: It.
        """
        return number

    with pytest.raises(ConfigurationError, match="top of a module"):
        IsolatedProvider.of(FunctionProvider((tool_from_function(local),)))
    with pytest.raises(ConfigurationError, match="top of a module"):
        PROVIDER.open(LIMITS).holds(lambda suite: True)
    with pytest.raises(ConfigurationError, match="memory_mb"):
        IsolatedProvider.of(SUITE, memory_mb=0)


class Unmade(Hostile):
    def __init__(self) -> None:
        raise ValueError("no room")


def test_a_suite_that_cannot_be_made_says_so():
    provider = IsolatedProvider.of(SuiteProvider(Unmade, "unmade"))
    with pytest.raises(InfrastructureError, match="'unmade' cannot be made: ValueError: no room"):
        provider.open(LIMITS).specs()


def test_a_nursery_that_died_is_replaced(tools):
    tools.call("add", {"amount": 2})
    pid = tools.call("pid", {})
    nursery = client._Shelf.nursery
    os.kill(nursery._process.pid, signal.SIGKILL)
    wait_until_gone([pid])
    with pytest.raises(InfrastructureError) as caught:
        tools.call("add", {"amount": 0})
    assert caught.value.kind is FailureKind.WORKER_KILLED
    assert nursery._process.wait() == -signal.SIGKILL
    assert tools.call("add", {"amount": 0}) == 2


def test_other_systems_are_told(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ConfigurationError, match="needs Linux, and this is darwin"):
        toolkit(Hostile, isolation="process")


SCRIPT = '''
import multiprocessing
import sys
from toolrl_env.tools import ToolSuite, write
from toolrl_env.tools.isolation import IsolatedProvider
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.local import SuiteProvider

class Mine(ToolSuite):
    def __init__(self):
        self.count = 0

    @write
    def add(self) -> int:
        """Add one."""
        self.count += 1
        return self.count

def run():
    tools = IsolatedProvider.of(SuiteProvider(Mine, "mine")).open(CallLimits())
    print(tools.call("add", {}), tools.call("add", {}), tools.state_hash() == _two().state_hash())
    print(tools._worker.pid, flush=True)
    if "spawn" in sys.argv:
        sys.argv.remove("spawn")
        process = multiprocessing.get_context("spawn").Process(target=run)
        process.start()
        process.join()
        sys.exit(process.exitcode)
    if "hang" in sys.argv:
        while True:
            pass

def _two():
    mine = Mine()
    mine.count = 2
    return mine

GUARD
    run()
'''


def script(tmp_path, guard):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.replace("GUARD", guard))
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return [sys.executable, str(path)], env


def test_a_suite_of_a_script_works_and_nothing_is_left_after_its_end(tmp_path):
    command, env = script(tmp_path, 'if __name__ == "__main__":')
    run = subprocess.run(command, capture_output=True, text=True, env=env, check=True, timeout=60)
    said, pid = run.stdout.splitlines()
    assert (said, run.stderr) == ("1 2 True", "")
    wait_until_gone([int(pid)])


def test_a_suite_of_a_script_works_in_a_process_that_the_script_has_spawned(tmp_path):
    command, env = script(tmp_path, 'if __name__ == "__main__":')
    run = subprocess.run(
        [*command, "spawn"], capture_output=True, text=True, env=env, check=True, timeout=60
    )
    assert run.stdout.splitlines()[::2] == ["1 2 True", "1 2 True"]
    assert run.stderr == ""
    wait_until_gone([int(pid) for pid in run.stdout.splitlines()[1::2]])


def test_a_script_without_a_guard_is_told_and_does_not_start_processes_without_end(tmp_path):
    command, env = script(tmp_path, "if True:")
    run = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=60)
    assert run.returncode == 1
    assert "cannot be imported there" in run.stderr


def test_a_killed_parent_leaves_nothing(tmp_path):
    command, env = script(tmp_path, 'if __name__ == "__main__":')
    process = subprocess.Popen([*command, "hang"], stdout=subprocess.PIPE, text=True, env=env)
    process.stdout.readline()
    pid = int(process.stdout.readline())
    nursery = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    process.kill()
    process.communicate()
    wait_until_gone([pid, nursery])


def test_a_fork_of_this_process_goes_on_with_a_worker_of_its_own(tools):
    tools.call("add", {"amount": 2})
    mine = tools.call("pid", {})
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        said = "failed"
        try:
            said = f"{tools.call('add', {})} {tools.call('pid', {})}"
        finally:
            tools.close()
            os.write(writer, said.encode())
            os._exit(0)
    os.close(writer)
    count, other = os.read(reader, 100).decode().split()
    os.close(reader)
    os.waitpid(child, 0)
    assert (count, tools.call("add", {}), tools.call("pid", {})) == ("3", 3, mine)
    assert int(other) != mine
    wait_until_gone([int(other)])
