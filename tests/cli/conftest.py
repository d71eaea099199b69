"""Run ``toolrl`` in this process, as a person would see it."""

from __future__ import annotations

import io
from typing import NamedTuple

import pytest

from toolrl_env.cli import main


class Run(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def toolrl(capsys, monkeypatch):
    """Return a function that runs a command with some text typed in."""

    def run(*arguments, typed=""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Run(status, out, err)

    return run
