"""What the pages state is what the code does: names, tables, numbers, links."""

from __future__ import annotations

import gzip
import re
import statistics

import pytest

from tests.docs.examples import PAGES, ROOT
from toolrl_env.cli import COMMANDS
from toolrl_env.data import DATASETS
from toolrl_env.data.procedural.workspace import WorkspaceSource
from toolrl_env.data.procedural.workspace.scenario import LEVELS
from toolrl_env.envs.conversation import MAX_CALLS
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.parsing import get_protocol
from toolrl_env.registration import ENVIRONMENTS
from toolrl_env.rewards import REFERENCE_FLAGS, RewardConfig, preset_names

BUNDLED = ROOT / "toolrl_env" / "data" / "bundled"


def text(name):
    return (ROOT / name).read_text("utf-8")


def rows(page, heading):
    """Return the cells of the table below a heading, header and rule left out."""
    section = text(page).split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("row", ENVIRONMENTS, ids=lambda row: row.id)
def test_every_environment_is_in_the_tables(row):
    assert f"`{row.id}`" in text("README.md")
    assert f"`{row.id}`" in text("docs/environments.md")


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_documented(name):
    assert name in {cells[0].strip("`") for cells in rows("docs/rewards.md", "## Presets")}


def test_the_flags_of_the_paper_map_to_the_fields_that_the_page_says():
    table = {c[0].strip("`"): c[1] for c in rows("docs/rewards.md", "## The paper's switches")}
    assert set(table) == set(REFERENCE_FLAGS)
    for flag, fields in REFERENCE_FLAGS.items():
        said = eval(f"dict({table[flag].strip('`')})")  # noqa: S307  # our own page
        assert said == fields
        assert RewardConfig(**said) == RewardConfig.from_reference_flags({flag})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name):
    assert f"## `toolrl {name}" in text("docs/cli.md")


@pytest.mark.parametrize("name", ["toolrl", "native", "python"])
def test_every_protocol_is_documented(name):
    assert get_protocol(name).name == name
    assert f"## `{name}`" in text("docs/protocols.md")


def test_the_datasets_have_the_licences_and_sources_that_the_page_says():
    table = {cells[0].strip("`"): cells for cells in rows("docs/data.md", "## Datasets")}
    assert set(table) == set(DATASETS)
    for name, dataset in DATASETS.items():
        _, columns, hub, licence = table[name]
        assert columns == ", ".join(f"`{column}`" for column in dataset.columns)
        assert hub == (f"`{dataset.hub}`" if dataset.hub else "no")
        assert licence == (dataset.licence or "unknown")


def test_the_samples_have_the_sizes_that_the_page_says():
    table = {cells[0].strip("`"): cells[1] for cells in rows("docs/data.md", "## Our samples")}
    assert set(table) == {path.name for path in BUNDLED.glob("*.jsonl.gz")}
    for name, said in table.items():
        with gzip.open(BUNDLED / name) as file:
            assert said == str(sum(1 for _ in file)), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        if not target.startswith(("http", "#")):
            file, _, anchor = target.partition("#")
            path = page.parent / file
            assert path.exists(), f"{page.name}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
                assert anchor in slugs, f"{page.name}: {target}"


def test_the_changelog_starts_with_this_version():
    import toolrl_env

    assert f"## [{toolrl_env.__version__}]" in text("CHANGELOG.md")


def test_how_hard_an_office_task_is():
    """The table of the longest chains is that of the first 1,500 tasks."""
    header, mean, most = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text("docs/environments.md").splitlines()
        if line.startswith(("| difficulty | 1", "| longest chain"))
    )
    source, depths = WorkspaceSource("train"), {}
    for index in range(1_500):
        task = source[index]
        depths.setdefault(task.difficulty, []).append(task.metadata["depth"])
    assert [int(cell) for cell in header[1:]] == sorted(depths) == list(LEVELS)
    assert mean[1:] == [f"{statistics.mean(depths[level]):.1f}" for level in LEVELS]
    assert most[1:] == [str(max(depths[level])) for level in LEVELS]


def test_how_many_calls_an_answer_may_hold():
    assert f"at most {MAX_CALLS} calls that are run" in text("docs/environments.md")
    assert f"the first {MAX_CALLS}" in (MultiTurnEnv.__doc__ or "")
