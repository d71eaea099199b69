from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from toolrl_env.core.errors import ConfigurationError, NetworkUnavailable
from toolrl_env.data import load, load_tasks

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """Stands for the two libraries: serves rows, or fails as they do."""

    def __init__(self, rows: list[dict[str, Any]], failure: Exception | None = None) -> None:
        self.rows, self.failure = rows, failure
        self.calls: list[tuple[str, str, str]] = []
        self.looked_up: list[tuple[str, str | None]] = []

    def dataset_info(self, name: str, *, revision: str | None) -> SimpleNamespace:
        self.looked_up.append((name, revision))
        if self.failure is not None:
            raise self.failure
        return SimpleNamespace(sha=COMMIT)

    def load_dataset(self, name: str, *, split: str, revision: str) -> list[dict[str, Any]]:
        self.calls.append((name, split, revision))
        if self.failure is not None:
            raise self.failure
        return self.rows


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, xlam_rows: list[dict[str, Any]]) -> FakeHub:
    load._load_commit.cache_clear()
    fake = FakeHub(xlam_rows)
    datasets, library = ModuleType("datasets"), ModuleType("huggingface_hub")
    datasets.load_dataset = fake.load_dataset  # type: ignore[attr-defined]
    library.HfApi = lambda: fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", datasets)
    monkeypatch.setitem(sys.modules, "huggingface_hub", library)
    return fake


def test_the_newest_commit_is_looked_up_once_and_recorded(hub: FakeHub) -> None:
    tasks = load_tasks("xlam", "hub", "all")
    name = "Salesforce/xlam-function-calling-60k"
    assert hub.looked_up == [(name, None)]
    assert hub.calls == [(name, "train", COMMIT)]
    assert tasks.options["revision"] == COMMIT
    assert (len(tasks), tasks.is_sample, tasks.licence) == (5, False, "CC-BY-4.0")


def test_a_full_commit_is_taken_without_looking(hub: FakeHub) -> None:
    other = "f" * 40
    one = load_tasks("xlam", "hub", "all", revision=other)
    assert load_tasks("xlam", f"hub@{other}", "all") is one
    assert hub.looked_up == []
    assert [call[2] for call in hub.calls] == [other]
    assert one.fingerprint != load_tasks("xlam", f"hub@{COMMIT}", "all").fingerprint


def test_a_branch_is_pinned_to_the_commit_that_it_stands_for(hub: FakeHub) -> None:
    tasks = load_tasks("xlam", "hub@main", "all")
    assert [revision for _, revision in hub.looked_up] == ["main"]
    assert [call[2] for call in hub.calls] == [COMMIT]
    assert tasks.options["revision"] == COMMIT


def test_a_commit_is_built_once_for_all_the_environments_of_a_vector(hub: FakeHub) -> None:
    assert load_tasks("xlam", "hub", "all") is load_tasks("xlam", "hub", "all")
    assert len(hub.calls) == 1


def test_the_rlla_mixture_comes_from_three_loads(
    hub: FakeHub, toolace_rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [{**a, **x} for a, x in zip(toolace_rows, hub.rows, strict=True)]
    monkeypatch.setattr(hub, "rows", both)
    tasks = load_tasks("rlla", "hub", "all")
    assert [call[0] for call in hub.calls] == [
        "Team-ACE/ToolACE",
        "Salesforce/xlam-function-calling-60k",
        "Salesforce/xlam-function-calling-60k",
    ]
    assert not tasks.is_sample
    assert {task.source for task in tasks} == {"toolace", "hammer", "xlam"}


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (ConnectionError("no route"), "Check the network"),
        (OSError("offline mode"), "Check the network"),
        (RuntimeError("Dataset 'x' is a gated dataset on the Hub."), "Accept its terms"),
        (ValueError("401 Client Error"), "Accept its terms"),
    ],
)
def test_whatever_goes_wrong_is_one_clear_error(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, failure: Exception, advice: str
) -> None:
    monkeypatch.setattr(hub, "failure", failure)
    with pytest.raises(NetworkUnavailable, match=advice) as caught:
        load_tasks("xlam", "hub")
    assert isinstance(caught.value, OSError)
    assert "data=<file>" in str(caught.value)


@pytest.mark.parametrize("reference", ["hub", f"hub@{COMMIT}"])
def test_without_a_network_no_more_is_tried_than_once(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    monkeypatch.setattr(hub, "failure", ConnectionError("no route"))
    with pytest.raises(NetworkUnavailable):
        load_tasks("xlam", reference)
    assert len(hub.looked_up) + len(hub.calls) == 1


@pytest.mark.parametrize("missing", ["datasets", "huggingface_hub"])
def test_a_missing_library_names_the_extra(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(NetworkUnavailable, match=r"toolrl-env\[data\]"):
        load_tasks("xlam", "hub")


@pytest.mark.parametrize(("dataset", "options"), [("api_bank", {}), ("rlla", {"mixture": False})])
def test_datasets_that_are_not_there_say_so(
    hub: FakeHub, dataset: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="not on the Hugging Face hub in this form"):
        load_tasks(dataset, "hub", **options)
    assert hub.calls == []


def test_without_a_network_the_real_library_gives_the_same_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = pytest.importorskip("huggingface_hub")
    pytest.importorskip("datasets")

    def no_network(*_: object, **__: object) -> None:
        raise OSError("[Errno -2] Name or service not known")

    monkeypatch.setattr("socket.socket.connect", no_network)
    monkeypatch.setattr("socket.getaddrinfo", no_network)
    assert library.HfApi is not None
    with pytest.raises(NetworkUnavailable, match="Team-ACE/ToolACE"):
        load_tasks("toolace", "hub")
