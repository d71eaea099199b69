from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from toolrl_env.core.errors import ConfigurationError, DataError, UnknownName
from toolrl_env.core.types import Message, Task
from toolrl_env.data import SPLITS, Dataset, Row, SampleDataWarning, load, load_tasks
from toolrl_env.data.gold import make_gold

FILES = {
    "toolace": "toolace.jsonl",
    "xlam": "xlam.jsonl",
    "hammer": "xlam.jsonl",
    "rlla": "rlla.json",
    "api_bank": "api_bank.json",
}
SIZES = {"toolace": 7, "xlam": 5, "hammer": 5, "rlla": 4, "api_bank": 5}


@pytest.fixture(params=sorted(FILES))
def dataset(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_file_loads(dataset: str, fixtures: Path) -> None:
    tasks = load_tasks(dataset, fixtures / FILES[dataset], "all")
    assert len(tasks) == SIZES[dataset]
    assert (tasks.name, tasks.is_sample) == (dataset, False)
    assert len({task.id for task in tasks}) == len(tasks)
    assert all(task.source == dataset for task in tasks)
    assert all("sample" not in task.id for task in tasks)
    load._load_file.cache_clear()
    again = load_tasks(dataset, str(fixtures / FILES[dataset]), "all")
    assert again is not tasks
    assert again == tasks
    assert again.fingerprint == tasks.fingerprint


def test_a_file_is_read_again_only_when_it_has_changed(
    tmp_path: Path, xlam_rows: list[dict[str, Any]]
) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(xlam_rows))
    first = load_tasks("xlam", path, "all")
    assert load_tasks("xlam", path, "all") is first
    assert load_tasks("xlam", path, "train") is not first
    path.write_text(json.dumps(xlam_rows[:3]))
    assert len(load_tasks("xlam", path, "all")) == 3
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        load_tasks("xlam", path, "all")


def test_the_splits_of_a_file_are_disjoint_and_complete(dataset: str, fixtures: Path) -> None:
    path = fixtures / FILES[dataset]
    found: list[str] = []
    for split in ("train", "validation", "test"):
        try:
            found += [task.id for task in load_tasks(dataset, path, split)]
        except DataError as error:
            assert "has no tasks; all splits together have" in str(error)  # noqa: PT017
    assert sorted(found) == sorted(task.id for task in load_tasks(dataset, path, "all"))


def test_copies_of_a_row_land_in_the_same_split(
    tmp_path: Path, xlam_rows: list[dict[str, Any]]
) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([*xlam_rows, *xlam_rows]))
    for split in ("train", "test"):
        indices = {int(task.id.split("-")[1]) for task in load_tasks("xlam", path, split)}
        assert indices == {(i + 5) % 10 for i in indices}


def test_splits_and_options_change_the_fingerprint(fixtures: Path) -> None:
    path = fixtures / "xlam.jsonl"
    prints = {
        load_tasks("xlam", path, "all").fingerprint,
        load_tasks("xlam", path, "train").fingerprint,
        load_tasks("hammer", path, "all").fingerprint,
        load_tasks("hammer", path, "all", seed=1).fingerprint,
    }
    assert len(prints) == 4


def test_bad_rows_are_refused_with_index_and_reason(fixtures: Path) -> None:
    tasks = load_tasks("rlla", fixtures / "rlla.json", "all")
    (refused,) = tasks.refused
    assert refused.index == 4
    assert "not JSON" in refused.reason
    assert load_tasks("rlla", fixtures / "rlla.json", "train").refused == tasks.refused


def test_or_stop_at_the_first(fixtures: Path) -> None:
    with pytest.raises(DataError, match=r"rlla\.json: row 4: .*not JSON"):
        load_tasks("rlla", fixtures / "rlla.json", "all", on_bad_row="raise")
    with pytest.raises(UnknownName, match="allowed: raise, refuse"):
        load_tasks("rlla", fixtures / "rlla.json", on_bad_row="skip")  # type: ignore[arg-type]


def test_broken_lines_keep_their_place(tmp_path: Path, xlam_rows: list[dict[str, Any]]) -> None:
    lines = [json.dumps(row) for row in xlam_rows]
    lines[1:1] = ["{broken", "[]", json.dumps({"query": "q"})]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(lines))
    tasks = load_tasks("xlam", path, "all")
    assert [row.index for row in tasks.refused] == [1, 2, 3]
    assert "line 2: not JSON" in tasks.refused[0].reason
    assert "missing: answers, tools; found: query" in tasks.refused[2].reason
    assert [task.id for task in tasks] == ["xlam-0", "xlam-4", "xlam-5", "xlam-6", "xlam-7"]


def test_wrong_columns_name_the_missing_the_found_and_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"question": "q", "answer": "[]", "tool": "[]"}]))
    with pytest.raises(DataError) as caught:
        load_tasks("xlam", path)
    message = str(caught.value)
    assert "every row is refused; row 0" in message
    assert "missing: query, answers, tools; found: question, answer, tool" in message
    assert "'answer' for 'answers', 'tool' for 'tools'" in message


def test_unknown_names_say_what_is_allowed(fixtures: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'toolace'"):
        load_tasks("tool_ace")
    with pytest.raises(UnknownName, match="unknown dataset 3"):
        load_tasks(3)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="data must be None, a file or 'hub', not 3"):
        load_tasks("xlam", 3)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="allowed: all, test, train, validation"):
        load_tasks("xlam", split="dev")
    with pytest.raises(ConfigurationError, match="level=4; allowed: an integer from 1 to 3"):
        load_tasks("api_bank", level=4)
    with pytest.raises(ConfigurationError, match="'xlam' has no option 'level'; it has: none"):
        load_tasks("xlam", level=1)
    with pytest.raises(ConfigurationError, match="Did you mean 'seed'"):
        load_tasks("hammer", fixtures / "xlam.jsonl", seeds=1)


@dataclass(frozen=True)
class Riddles(Dataset):
    """A dataset from outside of the package."""

    loud: bool = False

    name: ClassVar[str] = "riddles"
    columns: ClassVar[tuple[str, ...]] = ("riddle", "answer")

    def tasks(self, row: Row, task_id: str) -> Sequence[Task]:
        text = row["riddle"].upper() if self.loud else row["riddle"]
        gold = make_gold((), row["answer"], "I know.")
        return (Task(task_id, self.name, (), (Message("user", text),), gold),)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "data must be None, a file or 'hub', not ''"),
        ("a\0b.json", "null byte"),
        ("hubb", "unknown kind of file.*or 'hub'"),
        ("x.csv", "unknown kind of file; allowed: .json, .jsonl, .jsonl.gz, .parquet"),
    ],
)
def test_odd_names_of_files_are_refused(data: str, said: str) -> None:
    with pytest.raises((ConfigurationError, DataError), match=said):
        load_tasks("xlam", data)


def test_a_revision_without_the_hub_is_refused_and_not_ignored(fixtures: Path) -> None:
    for data in (None, fixtures / "xlam.jsonl"):
        with pytest.raises(ConfigurationError, match="revision='abc' belongs to data='hub'"):
            load_tasks("xlam", data, revision="abc")


def test_a_dataset_from_outside_needs_no_registration(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps([{"riddle": "What has keys?", "answer": "A piano."}]))
    assert load_tasks(Riddles(), path, "all")[0].id == "riddles-0"
    assert load_tasks(Riddles(), path, "all", loud=True)[0].messages[0].content == "WHAT HAS KEYS?"
    with pytest.raises(ConfigurationError, match="riddles comes without a sample"):
        load_tasks(Riddles(), None, "all")


# ------------------------------------------------------------------------ samples


@pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")
@pytest.mark.parametrize("split", SPLITS)
def test_samples_load_whole_and_say_that_they_are_samples(dataset: str, split: str) -> None:
    tasks = load_tasks(dataset, split=split)
    assert tasks.is_sample
    assert tasks.refused == ()
    assert all("-sample-" in task.id for task in tasks)
    assert load_tasks(dataset, split=split) is tasks


@pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")
def test_the_rlla_sample_is_the_mixture_or_rows() -> None:
    assert {task.source for task in load_tasks("rlla")} == {"toolace", "hammer", "xlam"}
    rows = load_tasks("rlla", mixture=False)
    assert {task.source for task in rows} == {"rlla"}
    assert all(task.system is not None for task in rows)


@pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")
def test_levels_have_different_samples() -> None:
    assert len({load_tasks("api_bank", level=level).fingerprint for level in (1, 2, 3)}) == 3


def test_the_warning_comes_once_per_process_and_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_warned", set())
    with pytest.warns(SampleDataWarning, match="xlam: .* not the dataset itself"):
        load_tasks("xlam")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_tasks("xlam")
        load_tasks("xlam", split="test")
    with pytest.warns(SampleDataWarning, match="hammer"):
        load_tasks("hammer")


def test_a_file_does_not_warn(dataset: str, fixtures: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_tasks(dataset, fixtures / FILES[dataset], "all")


def test_a_missing_sample_says_how_to_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_BUNDLED", tmp_path)
    monkeypatch.setattr(load, "_warned", {"xlam"})
    load._load_sample.cache_clear()
    with pytest.raises(DataError, match=r"python -m toolrl_env\.data\.bundled\.generate"):
        load_tasks("xlam")
    load._load_sample.cache_clear()


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, toolrl_env.data, toolrl_env.prompts;"
        "heavy = {'datasets', 'pyarrow', 'jsonschema', 'scipy', 'rich', 'tyro', 'huggingface_hub'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
