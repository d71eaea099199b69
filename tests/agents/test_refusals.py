from __future__ import annotations

import pytest

from agents.refusals import short_refusals
from toolrl_env.core.errors import DataError


def test_an_error_of_ours_is_one_line(capsys):
    with pytest.raises(SystemExit) as stopped, short_refusals("baking"):
        raise DataError("no flour")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "baking: no flour\n"


def test_a_bug_keeps_its_traceback(capsys):
    with pytest.raises(KeyError), short_refusals("baking"):
        raise KeyError("flour")
    assert capsys.readouterr().err == ""
