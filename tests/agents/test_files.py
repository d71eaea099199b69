from __future__ import annotations

import hashlib
import json
import os
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


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_others_may_read_it_if_they_may_read_what_the_process_writes(mask, mode, tmp_path):
    before = os.umask(mask)
    try:
        write_json_atomically(tmp_path / "x.json", 1)
    finally:
        os.umask(before)
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == mode
