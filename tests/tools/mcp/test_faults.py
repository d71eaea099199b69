"""What a server does wrong becomes a failure of the right kind, and nothing is left running."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from tests.tools.mcp.conftest import FAULTY, PATIENT, QUICK, exists, gone
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.mcp import MCPServer
from toolrl_env.tools.tool import ToolError


def failure(tools, name, arguments=None):
    with pytest.raises(InfrastructureError) as caught:
        tools.call(name, arguments or {})
    return caught.value


# ------------------------------------------------------------------ at the start


@pytest.mark.parametrize(
    ("mode", "kind", "said"),
    [
        ("silent", FailureKind.TIMEOUT, "no answer within 3 s"),
        ("noisy", FailureKind.BAD_RESULT, "I do not speak JSON"),
        ("names", FailureKind.BAD_RESULT, r"evil\\nname"),
        ("schema", FailureKind.BAD_RESULT, "leads nowhere"),
        ("many", FailureKind.BAD_RESULT, "2000 tools"),
    ],
)
def test_a_server_that_cannot_be_used(server, mode, kind, said):
    provider = server(mode, start_seconds=3.0 if mode in ("silent", "noisy") else 30.0)
    with pytest.raises(InfrastructureError, match=said) as caught:
        provider.open(PATIENT)
    assert caught.value.kind is kind
    assert "'faulty'" in str(caught.value)
    assert provider.running() == 0


@pytest.mark.parametrize(
    ("command", "args", "said"),
    [
        ("/no/such/program", (), "No such file"),
        (sys.executable, ("-c", "import sys; sys.exit('bad licence key')"), "bad licence key"),
        (sys.executable, ("-c", ""), "ended with code 0"),
    ],
)
def test_a_server_that_does_not_start(command, args, said):
    provider = MCPServer("absent", command, args)
    with pytest.raises(InfrastructureError, match=said) as caught:
        provider.open(PATIENT)
    assert caught.value.kind is FailureKind.SERVER_DOWN
    assert provider.running() == 0


def test_a_banner_on_standard_output_is_looked_over(server):
    assert server("chatty").open(PATIENT).call("echo", {"text": "hi"}) == "hi"


def test_a_preparation_that_fails_is_the_servers_failure(server):
    def prepare(folder):
        raise KeyError("the template is missing")

    with pytest.raises(InfrastructureError, match="KeyError: 'the template") as caught:
        server(prepare=prepare).open(PATIENT)
    assert caught.value.kind is FailureKind.SERVER_DOWN


# ------------------------------------------------------------------ in a call


@pytest.mark.parametrize(
    ("tool", "kind", "said"),
    [
        ("die", FailureKind.SERVER_DOWN, "ended with code 3; on its standard error: out of cheese"),
        ("hang", FailureKind.TIMEOUT, "no answer within 1 s"),
        ("noise", FailureKind.BAD_RESULT, "Segmentation fault"),
        ("shape", FailureKind.BAD_RESULT, "content"),
        ("crash", FailureKind.TOOL_CRASHED, "crash it is"),
    ],
)
def test_a_call_that_goes_wrong(server, tool, kind, said):
    provider = server()
    tools = provider.open(QUICK if tool in ("hang", "noise") else PATIENT)
    pid = int(tools.call("pid", {}))
    tools.call("count", {})
    before = tools.state_hash()
    error = failure(tools, tool)
    assert error.kind is kind
    assert said in str(error)
    assert pickle.loads(pickle.dumps(error)).kind is kind
    assert tools.state_hash() == before
    assert gone(pid)
    assert tools.call("count", {}) == "2"  # on a new server, after the first call was made again
    assert int(tools.call("pid", {})) != pid


def test_a_refusal_is_for_the_model_and_the_server_goes_on(server):
    tools = server().open(PATIENT)
    pid = tools.call("pid", {})
    with pytest.raises(ToolError, match="refused at 10"):
        tools.call("refuse", {})
    with pytest.raises(ToolError, match="invalid it is"):
        tools.call("invalid", {})
    assert tools.call("count", {}) == "11"  # a refusal may have written, and is part of the log
    assert tools.call("pid", {}) == pid


def test_a_long_result_is_cut_and_a_huge_one_is_not_read(server):
    tools = server().open(CallLimits(seconds=60, result_chars=100))
    short = tools.call("huge", {"text": "5000"})
    assert len(short) < 200
    assert "[cut:" in short
    error = failure(tools, "huge", {"text": str(9 * 1024 * 1024)})
    assert error.kind is FailureKind.BAD_RESULT
    assert "bytes" in str(error)
    assert tools.call("echo", {"text": "still there"}) == "still there"


def test_a_server_that_died_between_two_calls_is_replaced(server):
    provider = server()
    tools = provider.open(PATIENT)
    assert tools.call("count", {}) == "1"
    pid = int(tools.call("pid", {}))
    subprocess.run(["kill", "-9", str(pid)], check=True)
    assert gone(pid)
    for _ in range(100):  # the loop hears of it in its own time
        try:
            counted = tools.call("count", {})
            break
        except InfrastructureError:
            assert provider.running() == 0
    assert counted == "2"
    assert int(tools.call("pid", {})) != pid


def test_a_state_that_depends_on_chance_is_found_out(server):
    provider = server(max_servers=1)
    tools, fork = provider.open(PATIENT), provider.open(PATIENT)
    tools.call("chance", {})
    fork.restore(tools.snapshot())
    assert fork.call("echo", {"text": "on the same server"}) == "on the same server"
    tools.call("count", {})
    error = failure(fork, "count")
    assert error.kind is FailureKind.BAD_RESULT
    assert "call 1 of 1, to 'chance'" in str(error)


# ------------------------------------------------------------------ a list that changes


def test_a_list_of_tools_that_changes_belongs_to_the_session(server):
    provider = server(reset_tool="reset")
    tools, other = provider.open(PATIENT), provider.open(PATIENT)
    first = [spec.name for spec in tools.specs()]
    assert "trick" not in first
    assert "reset" not in first
    before = tools.snapshot()
    tools.call("learn", {})
    assert [spec.name for spec in tools.specs()] == [*first, "trick"]
    assert tools.writes("trick")
    assert tools.call("trick", {"text": "a"}) == "trick a"
    assert [spec.name for spec in other.specs()] == first
    learned = pickle.loads(pickle.dumps(tools.snapshot()))
    tools.restore(before)
    assert [spec.name for spec in tools.specs()] == first
    other.restore(learned)
    assert [spec.name for spec in other.specs()] == [*first, "trick"]
    assert other.call("trick", {"text": "b"}) == "trick b"


def test_a_server_that_comes_back_with_other_tools_is_not_taken(server, tmp_path):
    script = tmp_path / "server.py"
    script.write_text(f"import sys\nsys.argv[-1] = 'good'\nexec(open({FAULTY!r}).read())")
    provider = MCPServer("changing", sys.executable, (str(script), "x"))
    tools = provider.open(PATIENT)
    script.write_text(script.read_text().replace("'good'", "'other'"))
    failure(tools, "die")
    error = failure(tools, "echo")
    assert error.kind is FailureKind.BAD_RESULT
    assert "other tools" in str(error)
    provider.close()


# ------------------------------------------------------------------ nothing stays behind


def test_closing_ends_the_server_and_its_children(server):
    provider = server("deaf")
    tools = provider.open(PATIENT)
    pid, child = int(tools.call("pid", {})), int(tools.call("child", {}))
    assert exists(pid)
    assert exists(child)
    provider.close()
    assert gone(pid)
    assert gone(child)


def test_a_forgotten_provider_ends_its_servers():
    provider = MCPServer("faulty", sys.executable, ("-u", FAULTY, "deaf"))
    tools = provider.open(PATIENT)
    pid = int(tools.call("pid", {}))
    del provider, tools
    assert gone(pid)


_CRASH = """
import sys
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.mcp import MCPServer
tools = MCPServer("faulty", sys.executable, ("-u", sys.argv[1], "deaf")).open(CallLimits())
print(tools.call("pid", {}), tools.call("child", {}), flush=True)
"""


@pytest.mark.parametrize("end", ["", "raise RuntimeError('a bug')", "sys.exit(4)"])
def test_the_end_of_the_process_is_the_end_of_its_servers(end):
    run = subprocess.run(
        [sys.executable, "-c", _CRASH + end, FAULTY], capture_output=True, text=True, check=False
    )
    pids = [int(pid) for pid in run.stdout.split()]
    assert len(pids) == 2
    assert all(map(gone, pids))
    assert ("a bug" in run.stderr) == ("a bug" in end)


def test_a_process_that_is_killed_takes_the_servers_that_listen_with_it():
    script = _CRASH.replace("deaf", "good").replace(', tools.call("child", {})', "")
    script += "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    run = subprocess.run(
        [sys.executable, "-c", script, FAULTY], capture_output=True, text=True, check=False
    )
    assert run.returncode == -9
    assert gone(int(run.stdout))
