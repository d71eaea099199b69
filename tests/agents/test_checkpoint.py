from __future__ import annotations

import json

import pytest
import torch

from agents.checkpoint import TrainerState, load_trainer_state, save_checkpoint
from agents.models import load_folder
from agents.models.tiny import make_model, make_tokenizer
from toolrl_env.core.errors import ConfigurationError, DataError

TOKENIZER = make_tokenizer(["red green"], vocabulary=300)
CONFIG = {"steps": 4, "seed": 0, "out": "a", "resume": None, "save_every": 0, "decay_steps": 0}


def make(seed=0):
    """A tiny model and an optimiser that has taken one step."""
    model = make_model(TOKENIZER, seed, hidden=32, layers=1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    ids = torch.tensor([[1, 2, 3]])
    model(ids, labels=ids).loss.backward()
    optimizer.step()
    return model, optimizer


def save(folder, seed=0, step=2, config=CONFIG):
    model, optimizer = make(seed)
    save_checkpoint(folder, model, TOKENIZER, TrainerState(step, optimizer.state_dict(), config))
    return model, optimizer


def test_model_and_trainer_come_back_to_the_bit(tmp_path):
    model, optimizer = save(tmp_path / "c")
    again, tokenizer = load_folder(tmp_path / "c")
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert tokenizer("green red")["input_ids"] == TOKENIZER("green red")["input_ids"]
    state = load_trainer_state(tmp_path / "c", CONFIG)
    assert state.step == 2
    saved = optimizer.state_dict()["state"]
    assert state.optimizer["state"].keys() == saved.keys()
    for index, values in saved.items():
        for key, value in values.items():
            assert torch.equal(value, state.optimizer["state"][index][key])


def test_what_is_attached_comes_back(tmp_path):
    model, optimizer = make()
    attached = {"head": {"weight": torch.tensor([1.5, -2.0])}, "memory": {"a": ["solved", 2]}}
    state = TrainerState(2, optimizer.state_dict(), CONFIG, attached)
    save_checkpoint(tmp_path / "c", model, TOKENIZER, state)
    again = load_trainer_state(tmp_path / "c", CONFIG).attached
    assert torch.equal(again["head"]["weight"], attached["head"]["weight"])
    assert again["memory"] == attached["memory"]
    save(tmp_path / "plain")
    assert load_trainer_state(tmp_path / "plain", CONFIG).attached == {}


def test_a_new_checkpoint_replaces_the_old_one(tmp_path):
    save(tmp_path / "c", seed=0, step=1)
    model, _ = save(tmp_path / "c", seed=1, step=3)
    again, _ = load_folder(tmp_path / "c")
    assert torch.equal(again.lm_head.weight, model.lm_head.weight)
    assert load_trainer_state(tmp_path / "c", CONFIG).step == 3
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_an_interrupted_write_leaves_the_old_one_whole(tmp_path, monkeypatch):
    save(tmp_path / "c", step=1)

    def full_disk(*_):
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full_disk)
        with pytest.raises(OSError, match="no space"):
            save(tmp_path / "c", step=2)
    assert load_trainer_state(tmp_path / "c", CONFIG).step == 1
    save(tmp_path / "c", step=3)  # what was left over is in nobody's way
    assert load_trainer_state(tmp_path / "c", CONFIG).step == 3
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


@pytest.mark.parametrize("change", [{"steps": 9}, {"out": "b"}, {"resume": "c"}, {"save_every": 1}])
def test_length_and_folders_may_change(tmp_path, change):
    save(tmp_path / "c")
    assert load_trainer_state(tmp_path / "c", CONFIG | change).step == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed: saved 0, now 1"),
        ({"decay_steps": 2}, "decay_steps: saved 0, now 2"),
        ({"new": True}, "new: saved None, now True"),
    ],
)
def test_nothing_else_may(tmp_path, change, message):
    save(tmp_path / "c")
    with pytest.raises(ConfigurationError, match=message):
        load_trainer_state(tmp_path / "c", CONFIG | change)


def test_length_may_not_change_where_the_learning_rate_depends_on_it(tmp_path):
    config = CONFIG | {"decay_steps": 2}
    save(tmp_path / "c", config=config)
    assert load_trainer_state(tmp_path / "c", config).step == 2
    with pytest.raises(ConfigurationError, match="steps: saved 4, now 5"):
        load_trainer_state(tmp_path / "c", config | {"steps": 5})


@pytest.mark.parametrize("missing", ["trainer.pt", "run.json"])
def test_a_plain_model_folder_is_no_checkpoint(tmp_path, missing):
    save(tmp_path / "c")
    (tmp_path / "c" / missing).unlink()
    with pytest.raises(DataError, match=r"not a checkpoint: it needs trainer\.pt and run\.json"):
        load_trainer_state(tmp_path / "c", CONFIG)


def test_the_settings_are_readable(tmp_path):
    save(tmp_path / "c")
    assert json.loads((tmp_path / "c" / "run.json").read_text()) == CONFIG
