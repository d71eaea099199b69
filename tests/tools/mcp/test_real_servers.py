"""Two servers from PyPI that nobody here wrote: mcp-server-time and mcp-server-git."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.tools.mcp.conftest import PATIENT
from toolrl_env.core.types import ToolCall
from toolrl_env.tools.execution import as_parsed
from toolrl_env.tools.mcp import MCPServer
from toolrl_env.tools.tool import ToolError
from toolrl_env.tools.validation import CallValidator

DATES = {
    "GIT_AUTHOR_DATE": "1767323045 +0000",
    "GIT_COMMITTER_DATE": "1767323045 +0000",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}
NOON_IN_PARIS = {
    "source_timezone": "Europe/Paris",
    "time": "12:00",
    "target_timezone": "Asia/Tokyo",
}


@pytest.fixture(scope="module")
def clock():
    provider = MCPServer(
        "time", sys.executable, ("-m", "mcp_server_time", "--local-timezone", "UTC"), shared=True
    )
    yield provider
    provider.close()


def prepare_repository(folder):
    """A repository with one commit and one change that is not staged."""
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    (folder / "notes.txt").write_text("one\n")
    subprocess.run([*git, "add", "notes.txt"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "First"], check=True, env=DATES)
    (folder / "notes.txt").write_text("one\ntwo\n")


@pytest.fixture(scope="module")
def git():
    provider = MCPServer(
        "git", sys.executable, ("-m", "mcp_server_git"), prepare=prepare_repository, env=DATES
    )
    yield provider
    provider.close()


# ------------------------------------------------------------------ time


def test_time_its_tools_have_schemas_and_only_read(clock):
    tools = clock.open(PATIENT)
    specs = {spec.name: spec for spec in tools.specs()}
    assert {"get_current_time", "convert_time"} <= set(specs)
    convert = specs["convert_time"]
    assert set(convert.parameters["required"]) == set(NOON_IN_PARIS)
    assert "timezone" in convert.parameters["properties"]["source_timezone"]["description"]
    assert not any(tools.writes(name) for name in specs)
    checked = CallValidator(tools.specs()).check(
        [as_parsed(ToolCall("convert_time", {**NOON_IN_PARIS, "time": 12}))]
    )
    assert not checked[0].ok
    assert checked[0].errors[0].path == "$.time"


def test_time_structured_results_come_as_data(clock):
    value = clock.open(PATIENT).call("convert_time", NOON_IN_PARIS)
    assert value["source"]["timezone"] == "Europe/Paris"
    assert value["target"]["datetime"].partition("T")[2] in ("20:00:00+09:00", "19:00:00+09:00")


def test_time_a_refusal_reaches_the_model(clock):
    with pytest.raises(ToolError, match="Middle/Earth"):
        clock.open(PATIENT).call(
            "convert_time", {**NOON_IN_PARIS, "source_timezone": "Middle/Earth"}
        )


def test_time_one_connection_serves_all_sessions(clock):
    sessions = [clock.open(PATIENT) for _ in range(4)]
    assert {tools.call("convert_time", NOON_IN_PARIS)["time_difference"] for tools in sessions}
    assert clock.running() == 1


# ------------------------------------------------------------------ git


def commit(tools, message):
    tools.call("git_add", {"repo_path": ".", "files": ["notes.txt"]})
    return tools.call("git_commit", {"repo_path": ".", "message": message})


def test_git_says_which_tools_write(git):
    tools = git.open(PATIENT)
    assert tools.writes("git_commit")
    assert tools.writes("git_add")
    assert not tools.writes("git_status")
    assert not tools.writes("git_log")


def test_git_sessions_have_repositories_of_their_own(git):
    first, second = git.open(PATIENT), git.open(PATIENT)
    commit(first, "Second")
    assert "Second" in str(first.call("git_log", {"repo_path": "."}))
    assert "Second" not in str(second.call("git_log", {"repo_path": "."}))
    assert "notes.txt" in second.call("git_status", {"repo_path": "."})
    first.close()
    second.close()


def test_git_a_fork_gets_the_same_commits_and_goes_its_own_way(git):
    trunk = git.open(PATIENT)
    said = commit(trunk, "Second")
    fork = git.open(PATIENT)
    fork.restore(trunk.snapshot())
    assert fork.state_hash() == trunk.state_hash()
    fork.call("git_create_branch", {"repo_path": ".", "branch_name": "aside"})
    branches = {"repo_path": ".", "branch_type": "local"}
    assert "aside" in fork.call("git_branch", branches)
    assert "aside" not in trunk.call("git_branch", branches)
    commits = [str(tools.call("git_log", {"repo_path": "."})) for tools in (trunk, fork)]
    assert commits[0] == commits[1]
    assert said.split()[-1][:7] in commits[0]
    fork.close()
    trunk.close()


def test_git_a_repository_elsewhere_is_refused(git):
    tools = git.open(PATIENT)
    with pytest.raises(ToolError):
        tools.call("git_status", {"repo_path": "/no/such/repository"})


def test_git_a_goal_looks_at_the_repository_through_its_tools(git):
    tools = git.open(PATIENT)

    def is_committed(live):
        return "nothing to commit" in live.call("git_status", {"repo_path": "."})

    assert not tools.holds(is_committed)
    commit(tools, "Second")
    assert tools.holds(is_committed)
    tools.close()
