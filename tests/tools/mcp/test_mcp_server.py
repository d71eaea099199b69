"""``MCPServer``: its arguments, and what is missing without the extra."""

from __future__ import annotations

import builtins
import sys

import pytest

from tests.tools.mcp.conftest import PATIENT
from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.tools.mcp import MCPServer
from toolrl_env.tools.mcp.stockroom import stockroom_server


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "either command= .stdio. or url= .HTTP."),
        ({"command": "x", "url": "http://x"}, "either command= .stdio. or url= .HTTP."),
        ({"command": "x", "headers": {"a": "b"}}, "headers= goes with url="),
        ({"url": "http://x", "args": ("a",)}, "args= goes with command="),
        ({"url": "http://x", "env": {"a": "b"}}, "env= goes with command="),
        ({"url": "http://x", "prepare": print}, "prepare= goes with command="),
        ({"command": "x", "args": "a b"}, "args='a b'; allowed: a list of str"),
        ({"command": "x", "cwd": "/", "prepare": print}, "cwd= contradicts prepare="),
        ({"command": "x", "shared": True, "prepare": print}, "shared= contradicts prepare="),
        ({"command": "x", "shared": True, "reset_tool": "r"}, "shared=True says"),
        ({"command": "x", "shared": True, "state_tool": "r"}, "shared=True says"),
        ({"command": "x", "max_servers": 0}, "max_servers=0"),
        ({"command": "x", "start_seconds": 0}, "start_seconds=0"),
        ({"command": "x", "start_seconds": float("nan")}, "start_seconds=nan"),
    ],
)
def test_arguments_that_cannot_be_meant(options, said):
    with pytest.raises(ConfigurationError, match=said):
        MCPServer("x", **options)


def test_a_name_is_needed():
    with pytest.raises(ConfigurationError, match="give a name"):
        MCPServer("", command="x")


def test_an_unknown_setting_is_named_with_its_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'command'"):
        MCPServer.from_config("x", {"comand": "run"})
    with pytest.raises(UnknownName, match="MCP server 'x' '_pool'"):
        MCPServer.from_config("x", {"command": "run", "_pool": 1})


def test_settings_of_both_kinds():
    stdio = MCPServer.from_config(
        "a", {"type": "stdio", "command": "run", "args": ["b"], "env": {"K": "v"}, "cwd": "/"}
    )
    assert stdio == MCPServer("a", command="run", args=("b",), env={"K": "v"}, cwd="/")
    web = MCPServer.from_config("w", {"type": "http", "url": "http://x", "headers": {"K": "v"}})
    assert web.url == "http://x"
    assert web.waits
    assert web.running() == 0


def test_without_the_extra_the_error_names_it(monkeypatch):
    for module in [name for name in sys.modules if name.partition(".")[0] == "mcp"]:
        monkeypatch.delitem(sys.modules, module)
    for module in ("connection", "content", "failure", "stdio"):
        monkeypatch.delitem(sys.modules, f"toolrl_env.tools.mcp.{module}", raising=False)
    importing = builtins.__import__

    def no_mcp(name, *args, **kwargs):
        if name.partition(".")[0] == "mcp":
            raise ModuleNotFoundError("No module named 'mcp'", name="mcp")
        return importing(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_mcp)
    with pytest.raises(ConfigurationError, match=r"pip install 'toolrl-env\[mcp\]'"):
        MCPServer("x", sys.executable).open(PATIENT)


def test_the_stockroom_is_one_provider():
    assert stockroom_server() is stockroom_server()
