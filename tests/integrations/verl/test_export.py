"""Our file, read by verl's own dataset."""

from __future__ import annotations

import pytest
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

from agents.integrations.tasks import TaskRef, task_rows
from agents.integrations.verl.export import ExportConfig, export, write_rows

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"


@pytest.fixture
def read(make_config, tokenizer):
    def read(*paths, **settings):
        config = make_config().data
        config.update(settings)
        return RLHFDataset([str(path) for path in paths], tokenizer, config)

    return read


@pytest.mark.parametrize("env", [TOOLBOX, WORKSPACE])
def test_verls_dataset_reads_what_we_wrote(read, tmp_path, env):
    out = tmp_path / "rows.parquet"
    count = export(ExportConfig(env=env, env_kwargs='{"difficulty": 2}', tasks=4, out=out))
    dataset = read(out)
    assert len(dataset) == count == 4
    refs = [TaskRef.parse(dataset[i]["extra_info"]) for i in range(4)]
    assert len(set(refs)) == 4
    rows = [task_rows(ref.env, ref.kwargs(), [ref.index])[0] for ref in refs]
    for i, row in enumerate(rows):
        got = dataset[i]
        assert got["raw_prompt"] == list(row.messages)
        assert got["data_source"] == f"toolrl/{row.source}"
        assert got["reward_model"] == {"style": "rule", "ground_truth": row.task_id}
        assert got["index"] == row.ref.index
        assert got["agent_name"] == "toolrl"
        assert got["tools_kwargs"] == {}
    batch = collate_fn([dataset[i] for i in range(4)])
    assert [TaskRef.parse(extra) for extra in batch["extra_info"]] == refs


def test_files_of_several_environments_are_read_as_one(read, tmp_path):
    paths = [tmp_path / f"{env}.parquet" for env in (TOOLBOX, WORKSPACE)]
    for env, path in zip((TOOLBOX, WORKSPACE), paths, strict=True):
        export(ExportConfig(env=env, tasks=2, out=path))
    dataset = read(*paths)
    assert [dataset[i]["extra_info"]["env"] for i in range(4)] == [TOOLBOX] * 2 + [WORKSPACE] * 2


def test_verls_filter_of_long_prompts_counts_the_tokens_that_we_do(read, tmp_path, encoder):
    rows = task_rows(WORKSPACE, {}, range(12))
    lengths = [len(encoder.prompt({"messages": row.messages, "tools": ()})) for row in rows]
    limit = sorted(lengths)[6]
    write_rows(rows, tmp_path / "rows.parquet", split="train")
    dataset = read(tmp_path / "rows.parquet", filter_overlong_prompts=True, max_prompt_length=limit)
    kept = [row.task_id for row, length in zip(rows, lengths, strict=True) if length <= limit]
    got = [dataset[i]["reward_model"]["ground_truth"] for i in range(len(dataset))]
    assert 0 < len(kept) < len(rows)
    assert got == kept
