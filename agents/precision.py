"""What to compute on and in, and float32 master weights beside a bfloat16 copy."""

from __future__ import annotations

import copy

import torch
from torch import nn
from transformers import PreTrainedModel

from toolrl_env.core.errors import ConfigurationError, UnknownName

__all__ = ["DTYPES", "MasterWeights", "choose_device", "choose_dtype"]

DTYPES = ("auto", "float32", "bfloat16")


def choose_device(name: str) -> torch.device:
    """Return the device to compute on; ``auto`` is the first GPU if torch sees one, else the CPU.

    Raises:
        ConfigurationError: It is not "auto", "cpu" or "cuda", with or without an index, or torch
            sees no such GPU.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    count = torch.cuda.device_count()
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise UnknownName("device", name, ("auto", "cpu", "cuda"))
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ConfigurationError(f"device={name!r}; torch sees {count} GPUs")
    return device


def choose_dtype(name: str, device: torch.device | None = None) -> torch.dtype:
    """Return the format to compute in.

    ``auto`` asks the device, it does not time anything, so that a rerun on the same machine
    takes the same path: bfloat16 where AVX-512 or AMX has instructions for it (about twice as fast
    as float32) or the GPU knows it, float32 elsewhere (on an AVX2 machine bfloat16 is 6 to 8 times
    slower).

    Args:
        name: One of ``DTYPES``.
        device: What will compute; ``None`` is the processor.

    Raises:
        UnknownName: ``name`` is not in ``DTYPES``.
    """
    if name not in DTYPES:
        raise UnknownName("dtype", name, DTYPES)
    if name == "auto":
        if device is not None and device.type == "cuda":
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        return torch.bfloat16 if fast else torch.float32
    return torch.float32 if name == "float32" else torch.bfloat16


class MasterWeights:
    """float32 weights that the optimiser moves, and the copy that computes.

    Pure bfloat16 weights barely train: a step of 1e-5 is below their resolution. In float32 the
    copy is the model itself and ``collect`` and ``publish`` do nothing.

    Args:
        model: The model, in float32.
        dtype: What ``compute`` is to be in.

    Attributes:
        master: The float32 model: optimise and save this one.
        compute: The model to run forward and backward.
    """

    def __init__(self, model: PreTrainedModel, dtype: torch.dtype) -> None:
        if any(p.dtype != torch.float32 for p in model.parameters()):
            raise ValueError("master weights must be float32")
        self.master = model
        shared = dtype == torch.float32
        self.compute = model if shared else copy.deepcopy(model).to(dtype)
        self._pairs: list[tuple[nn.Parameter, nn.Parameter]] = []
        if not shared:
            both = zip(model.parameters(), self.compute.parameters(), strict=True)
            self._pairs = list(both)

    def collect(self) -> None:
        """Add the copy's gradients to the masters', in float32, and drop them from the copy.

        Call after every backward pass: accumulating in bfloat16 would lose small gradients.
        """
        for master, shadow in self._pairs:
            if shadow.grad is None:
                continue
            grad = shadow.grad.float()
            master.grad = grad if master.grad is None else master.grad.add_(grad)
            shadow.grad = None

    @torch.no_grad()
    def publish(self) -> None:
        """Copy the masters to the computing copy, after an optimiser step."""
        for master, shadow in self._pairs:
            shadow.copy_(master)
