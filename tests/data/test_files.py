from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from toolrl_env.core.errors import DataError
from toolrl_env.data.files import read_rows
from toolrl_env.data.source import RefusedRow

ROWS = [{"a": 1, "b": "é"}, {"a": 2, "b": "\ud83d\ude00"}]


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(row) for row in ROWS)
    expected = json.loads(json.dumps(ROWS))
    assert list(read_rows(write(tmp_path / "x.json", json.dumps(ROWS)))) == expected
    assert list(read_rows(write(tmp_path / "x.jsonl", lines))) == expected
    packed = gzip.compress(lines.encode())
    assert list(read_rows(write(tmp_path / "x.jsonl.gz", packed))) == expected
    assert list(read_rows(write(tmp_path / "X.JSONL.GZ", packed))) == expected


def test_lines_named_json_are_told_their_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Extra data.*name it \.jsonl"):
        list(read_rows(write(tmp_path / "x.json", '{"a": 1}\n{"a": 2}\n')))
    with pytest.raises(DataError) as caught:
        list(read_rows(write(tmp_path / "y.json", "[1,")))
    assert "jsonl" not in str(caught.value)


def test_parquet(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    rows = [{"a": "x", "c": [{"from": "user", "value": "v"}]}, {"a": None, "c": []}]
    pq.write_table(arrow.Table.from_pylist(rows), tmp_path / "x.parquet")
    assert list(read_rows(tmp_path / "x.parquet")) == rows
    pq.write_table(arrow.table({"a": []}), tmp_path / "e.parquet")
    with pytest.raises(DataError, match="its table has no rows"):
        list(read_rows(tmp_path / "e.parquet"))
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(read_rows(write(tmp_path / "n.parquet", "no parquet")))
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(read_rows(tmp_path / "missing.parquet"))


def test_parquet_without_pyarrow_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(DataError, match=r"toolrl-env\[data\]"):
        list(read_rows(tmp_path / "x.parquet"))


def test_a_byte_order_mark_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", b"\xef\xbb\xbf" + b'{"a": 1}\r\n\r\n  \n{"a": 2}\n')
    assert list(read_rows(path)) == [{"a": 1}, {"a": 2}]


def test_a_line_separator_inside_a_string_does_not_end_the_line(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", '{"a": "x\u2028y\x85z"}\n')
    assert list(read_rows(path)) == [{"a": "x\u2028y\x85z"}]


def test_a_broken_line_is_refused_by_its_number(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", '{"a": 1}\n\n{"a": \n[1]\n' + "[" * 100_000 + '\n{"a": 2}')
    good, broken, listed, deep, last = read_rows(path)
    assert (good, last) == ({"a": 1}, {"a": 2})
    assert isinstance(broken, RefusedRow)
    assert broken.index == 1
    assert "line 3: not JSON" in broken.reason
    assert isinstance(listed, RefusedRow)
    assert "line 4: not an object but list" in listed.reason
    assert isinstance(deep, RefusedRow)
    assert "line 5" in deep.reason


def test_a_json_item_that_is_no_object_is_refused(tmp_path: Path) -> None:
    rows = list(read_rows(write(tmp_path / "x.json", '[{"a": 1}, 3]')))
    assert rows[1] == RefusedRow(1, "x.json, row 1: not an object but int")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.json", b"", "the file is empty"),
        ("x.jsonl", b" \n\n", "the file is empty"),
        ("x.json", b"[]", "its list has no rows"),
        ("x.json", b'{"a": 1}', "not a list of rows but dict"),
        ("x.json", b"[1", "not JSON: .*column 3"),
        ("x.json", b"[" * 100_000, "not JSON"),
        ("x.jsonl", b'{"a": "\xff"}', "not UTF-8: byte 7"),
        ("x.jsonl.gz", b"plain", "not a complete gzip file"),
        ("x.jsonl.gz", gzip.compress(b'{"a": 1}' * 99, mtime=0)[:-9], "not a complete gzip file"),
        ("x.csv", b"a,b", "unknown kind of file; allowed: .json, .jsonl, .jsonl.gz, .parquet"),
        ("x", b"{}", "unknown kind of file"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_rows(write(tmp_path / name, data)))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        list(read_rows(tmp_path / "none.jsonl"))
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        list(read_rows(tmp_path / "folder.json"))
