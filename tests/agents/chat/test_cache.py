from __future__ import annotations

import json

import pytest

from agents.chat.cache import ReplyCache
from agents.chat.reply import Reply, WrittenCall

REQUEST = {"base_url": "u", "body": {"messages": [{"role": "user", "content": "é"}]}, "seed": 1}
REPLY = Reply("text \ud800", (WrittenCall("f", "{"),), 3, None)


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_reply_comes_back_equal(tmp_path):
    cache = ReplyCache(tmp_path / "new" / "folder")
    assert cache.get(REQUEST) is None
    cache.put(REQUEST, REPLY)
    assert cache.get(REQUEST) == ReplyCache(tmp_path / "new" / "folder").get(REQUEST) == REPLY


def test_another_request_has_another_reply(tmp_path):
    cache = ReplyCache(tmp_path)
    cache.put(REQUEST, REPLY)
    assert cache.get({**REQUEST, "seed": 2}) is None
    assert cache.get({**REQUEST, "base_url": "v"}) is None


def test_the_order_of_keys_makes_no_other_request(tmp_path):
    cache = ReplyCache(tmp_path)
    cache.put(REQUEST, REPLY)
    assert cache.get(dict(reversed(REQUEST.items()))) == REPLY


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"request": 1, "reply": {}}'])
def test_a_damaged_file_counts_as_absent_and_is_written_anew(damage, tmp_path):
    cache = ReplyCache(tmp_path)
    cache.put(REQUEST, REPLY)
    (file,) = files(tmp_path)
    file.write_text(damage)
    assert cache.get(REQUEST) is None
    cache.put(REQUEST, REPLY)
    assert cache.get(REQUEST) == REPLY


def test_a_file_with_a_reply_of_another_form_counts_as_absent(tmp_path):
    cache = ReplyCache(tmp_path)
    cache.put(REQUEST, REPLY)
    (file,) = files(tmp_path)
    fields = json.loads(file.read_text())
    del fields["reply"]["content"]
    file.write_text(json.dumps(fields))
    assert cache.get(REQUEST) is None


def test_no_scratch_files_are_left(tmp_path):
    cache = ReplyCache(tmp_path)
    for seed in range(5):
        cache.put({**REQUEST, "seed": seed}, REPLY)
    assert len(files(tmp_path)) == 5
    assert all(file.suffix == ".json" and not file.name.startswith(".") for file in files(tmp_path))
