from __future__ import annotations

import json

import pytest

from agents.files import write_json_atomically


def test_the_file_is_replaced_whole(tmp_path):
    path = tmp_path / "x.json"
    for value in ({"a": 1}, {"b": "\ud800"}):
        write_json_atomically(path, value)
        assert json.loads(path.read_text()) == value
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [{"a": object()}, {"a": float("nan")}])
def test_what_cannot_be_written_leaves_the_old_file(value, tmp_path):
    path = tmp_path / "x.json"
    write_json_atomically(path, 1)
    with pytest.raises((TypeError, ValueError)):
        write_json_atomically(path, value)
    assert path.read_text() == "1\n"
    assert list(tmp_path.iterdir()) == [path]
