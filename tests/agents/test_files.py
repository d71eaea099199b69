from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

from agents import files
from agents.files import source_hash, write_json_atomically


def test_a_module_is_known_by_its_file():
    digest = hashlib.sha256(Path(files.__file__).read_bytes()).hexdigest()
    assert source_hash(files) == digest
    assert source_hash(sys) == ""


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
