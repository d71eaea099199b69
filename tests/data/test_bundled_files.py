"""The committed files: complete, in the raw formats, and what the generator really writes."""

from __future__ import annotations

import ast
import gzip
import itertools
import json
from pathlib import Path

import pytest

from tests.data.bundled_support import FOLDER, NAMES, produced, rows_of, user_texts
from toolrl_env.data.bundled import generate
from toolrl_env.prompts.default import DEFAULT

FEWEST = 200
LARGEST = 400_000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundled")
    generate.main(["--out", str(folder)])
    return folder


def test_the_generator_writes_exactly_the_committed_rows(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == sorted(
        path.name for path in FOLDER.glob("*.gz")
    )
    for name in NAMES:
        committed = (FOLDER / f"{name}.jsonl.gz").read_bytes()
        again = (written / f"{name}.jsonl.gz").read_bytes()
        assert gzip.decompress(again) == gzip.decompress(committed), (
            f"{name}: run 'python -m toolrl_env.data.bundled.generate'"
        )


def test_generating_twice_gives_identical_bytes(written: Path) -> None:
    for name, content in produced().items():
        data = generate.compressed(content.rows)
        assert data == (written / f"{name}.jsonl.gz").read_bytes()
        assert data[4:8] == bytes(4), "the gzip header holds a time"


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_enough_rows_and_is_small(name: str) -> None:
    assert len(rows_of(name)) >= FEWEST
    assert (FOLDER / f"{name}.jsonl.gz").stat().st_size < LARGEST


def test_scenes_and_rows_belong_together() -> None:
    for name in NAMES:
        content = produced()[name]
        assert len(content.scenes) == len(content.rows) == sum(generate.MIXES[name].values())
        for scene, row in zip(content.scenes, content.rows, strict=True):
            said = [turn.text for turn in scene.turns if turn.role == "user"]
            assert user_texts(name, dict(row))[: len(said)] == said


def test_categories_are_what_the_mix_says() -> None:
    seen = {name: {scene.category for scene in produced()[name].scenes} for name in NAMES}
    call_free = {"irrelevant", "missing_parameter", "final_response"}
    turns = {"clarified", "follow_up", "dependent"}
    calls = {"single", "parallel", "parallel_multiple"}
    assert seen["toolace"] == seen["rlla"] == call_free | turns | calls
    assert seen["xlam"] == calls
    assert seen["xlam_irrelevance"] == {"irrelevant"}
    assert seen["api_bank_level1"] == seen["api_bank_level2"] == {"single"} | turns
    assert seen["api_bank_level3"] == turns


def test_toolace_rows() -> None:
    kinds: set[str] = set()
    for row in rows_of("toolace"):
        assert list(row) == ["system", "conversations"]
        start = row["system"].index("\n\n[") + 2
        functions = json.loads(row["system"][start:])
        for function in functions:
            parameters = function["parameters"]
            assert parameters["type"] == "dict"
            assert set(parameters["required"]) <= set(parameters["properties"])
        turns = row["conversations"]
        assert turns[0]["from"] == "user"
        assert turns[-1]["from"] == "assistant"
        names = {function["name"] for function in functions}
        for before, turn in itertools.pairwise(turns):
            if turn["from"] == "tool":
                assert before["value"].startswith("[")
                results = json.loads(turn["value"])
                assert {result["name"] for result in results} <= names
        answers = [turn["value"] for turn in turns if turn["from"] == "assistant"]
        kinds.update("calls" if answer.startswith("[") else "words" for answer in answers)
        kinds.update(turn["from"] for turn in turns)
    assert kinds == {"user", "assistant", "tool", "calls", "words"}


def test_toolace_names_have_spaces_dots_and_slashes() -> None:
    text = "".join(row["system"] for row in rows_of("toolace"))
    for name in ('"name": "Book Table"', '"name": "travel.', '"name": "Weather/'):
        assert name in text


@pytest.mark.parametrize("name", ["xlam", "xlam_irrelevance"])
def test_xlam_rows(name: str) -> None:
    kinds: set[str] = set()
    for number, row in enumerate(rows_of(name)):
        assert list(row) == ["id", "query", "answers", "tools"]
        assert row["id"] == number
        tools = {tool["name"]: tool for tool in json.loads(row["tools"])}
        answers = json.loads(row["answers"])
        assert bool(answers) == (name == "xlam")
        for answer in answers:
            assert list(answer) == ["name", "arguments"]
            assert set(answer["arguments"]) <= set(tools[answer["name"]]["parameters"])
        for tool in tools.values():
            for doc in tool["parameters"].values():
                assert list(doc)[:2] == ["description", "type"]
                kinds.add(doc["type"])
    assert {"str", "int", "float", "List[str]", "str, optional", "bool, optional"} <= kinds


def test_an_irrelevance_row_never_offers_the_tool_it_asks_for() -> None:
    content = produced()["xlam_irrelevance"]
    for scene, row in zip(content.scenes, content.rows, strict=True):
        assert scene.about is not None
        assert scene.about.name not in {tool["name"] for tool in json.loads(row["tools"])}


def test_rlla_rows() -> None:
    outcomes: set[tuple[bool, bool]] = set()
    head, _, tail = DEFAULT.system.partition("{{tools}}")
    for row in rows_of("rlla"):
        assert list(row) == ["instruction", "input", "output"]
        assert row["instruction"].startswith(head)
        assert row["instruction"].endswith(tail)
        for line in row["instruction"].splitlines():
            if line.startswith("Parameters: "):
                for doc in json.loads(line.removeprefix("Parameters: ")).values():
                    assert list(doc) == ["description", "type", "default"]
        output = row["output"]
        outcomes.add(("<tool_call>" in output, "<response>" in output))
        thought = output.split("<think> ")[1].split(" </think>")[0]
        assert 20 <= len(thought.split()) <= 120
    assert outcomes == {(True, False), (False, True), (True, True)}


def test_some_rlla_rows_have_masked_names() -> None:
    plain = {tool.name for scene in produced()["rlla"].scenes for tool in scene.tools}
    letters = {name.lower().replace("_", "") for name in plain}
    masked = 0
    for row in rows_of("rlla"):
        entries = [x for x in row["instruction"].splitlines() if ". Name: " in x]
        names = [entry.partition(". Name: ")[2].rpartition("/")[2] for entry in entries]
        words = {name.lower().replace(" ", "").replace("_", "") for name in names}
        masked += not any(word.rpartition(".")[2] in letters for word in words)
    assert 40 <= masked <= 110


@pytest.mark.parametrize("level", [1, 2, 3])
def test_api_bank_rows(level: int) -> None:
    identities: set[int] = set()
    for row in rows_of(f"api_bank_level{level}"):
        assert list(row) == ["system", "user", "answer", "other"]
        assert set(row["other"]) == {"file", "id"}
        identities.add(row["other"]["id"])
        assert isinstance(row["answer"], dict if level == 2 else list)
        answer = row["answer"] if level == 2 else row["answer"][0]
        assert list(answer) == ["name", "parameters"]
        lines = row["system"].splitlines()
        documented = [ast.literal_eval(x[12:]) for x in lines if x.startswith("Parameters: ")]
        names = [x.partition(". Name: ")[2] for x in lines if ". Name: " in x]
        assert answer["name"] in names
        offered = dict(zip(names, documented, strict=True))
        assert set(answer["parameters"]) == set(offered[answer["name"]])
        assert row["user"].rstrip().endswith("exactly one tool call that does what I need.</user>")
    assert len(identities) == len(rows_of(f"api_bank_level{level}"))


def test_level_three_conversations_take_more_steps() -> None:
    calls = {
        level: sum(row["user"].count("<obs>") for row in rows_of(f"api_bank_level{level}"))
        for level in (1, 2, 3)
    }
    assert calls[3] > 240 > calls[1]
    assert calls[3] > 240 > calls[2]
