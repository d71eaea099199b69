"""Agents by name: ``gold``, ``noisy:0.3``, ``hf:smollm2``, ``my_module:MyAgent``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.evaluating.own_agent import load_agent
from agents.policy import Policy
from agents.scripted import GoldPolicy, NoisyGoldPolicy, RandomPolicy
from toolrl_env.core.errors import ConfigurationError, nearest
from toolrl_env.envs.base import ToolUseEnv

if TYPE_CHECKING:
    from agents.openai import ChatOptions

__all__ = ["Chosen", "Sampling", "choose_agent"]


@dataclass(frozen=True)
class Sampling:
    """How a model answers.

    Attributes:
        temperature: 0 is greedy.
        max_new_tokens: Tokens after which an answer is cut.
        batch_size: Answers asked for at a time.
        device: What a model in this process computes on, as ``agents.precision`` names it.
        dtype: What it computes in, likewise.
    """

    temperature: float
    max_new_tokens: int
    batch_size: int
    device: str = "auto"
    dtype: str = "float32"


@dataclass(frozen=True)
class Chosen:
    """An agent that is ready to act.

    Attributes:
        policy: The agent.
        settings: What of it can move a score, JSON-like.
        greedy: Whether it is a model in this process at temperature 0, whose attempts at a task are
            all the same.
        closing: Entered for as long as it is used.
        report: Says what it has cost so far; empty if nothing.
    """

    policy: Policy
    settings: Mapping[str, Any] = field(default_factory=dict)
    greedy: bool = False
    closing: AbstractContextManager[object] = field(default_factory=nullcontext)
    report: Callable[[], str] = str


@dataclass(frozen=True)
class _Wish:
    """What an agent is made of: what stands after the colon, and the rest of the run."""

    rest: str
    env: ToolUseEnv
    sampling: Sampling
    chat: ChatOptions


def choose_agent(what: str, env: ToolUseEnv, sampling: Sampling, chat: ChatOptions) -> Chosen:
    """Return the agent that ``what`` names.

    Args:
        what: ``gold``, ``random``, ``noisy:<rate>``, ``hf:<path or id>``, ``hf:smollm2``,
            ``openai:<model>@<base url>``, ``sb3:<zip>``, or ``<module>:<class or function>``,
            which is called without arguments.
        env: The environment, unwrapped.
        sampling: How a model answers.
        chat: How to ask a hosted model.

    Raises:
        ConfigurationError: There is no such agent, a package that it needs is not installed, or a
            device or dtype is chosen for one that is no ``hf`` agent; says what is allowed.
    """
    kind, colon, rest = what.partition(":")
    if kind != "hf":
        _refuse_device(what, sampling)
    if kind in _MAKERS:
        maker, form, extra = _MAKERS[kind]
        if bool(rest) is not (":" in form):
            raise ConfigurationError(f"agent={what!r}; it is written {form}")
        try:
            return maker(_Wish(rest, env, sampling, chat))
        except ModuleNotFoundError as error:
            package = str(error.name).partition(".")[0]
            raise ConfigurationError(
                f"agent={what!r} needs the package {package}: pip install -e '.[{extra}]'"
            ) from error
    close = nearest(kind, _MAKERS)
    hint = f" Did you mean {_MAKERS[close][1]}?" if close else ""
    if not colon:
        forms = ", ".join(form for _, form, _ in _MAKERS.values())
        raise ConfigurationError(f"agent={what!r}; allowed: {forms}, <module>:<class>.{hint}")
    policy, source = load_agent(kind, rest, hint)
    return Chosen(policy, {"source_sha256": source})


def _refuse_device(what: str, sampling: Sampling) -> None:
    """Refuse what would have no effect."""
    for name in ("device", "dtype"):
        value, default = vars(sampling)[name], vars(Sampling)[name]
        if value != default:
            raise ConfigurationError(
                f"{name}={value!r} has no effect on agent={what!r}: it is for hf:<path or id>; "
                f"allowed here: {default!r}"
            )


def _gold(wish: _Wish) -> Chosen:
    return Chosen(GoldPolicy.from_env(wish.env))


def _random(wish: _Wish) -> Chosen:
    return Chosen(RandomPolicy(wish.env.protocol))


def _noisy(wish: _Wish) -> Chosen:
    try:
        rate = float(wish.rest)
    except ValueError as error:
        raise ConfigurationError(
            f"agent='noisy:{wish.rest}'; allowed: noisy:<rate of mistakes, 0 to 1>"
        ) from error
    return Chosen(NoisyGoldPolicy.from_env(wish.env, error_rate=rate))


def _hugging_face(wish: _Wish) -> Chosen:
    from transformers.utils import logging

    from agents.models import load_pretrained
    from agents.precision import choose_device, choose_dtype
    from agents.prompting import ChatEncoder
    from agents.transformers_policy import TransformersPolicy

    device = choose_device(wish.sampling.device)
    dtype = choose_dtype(wish.sampling.dtype, device)
    logging.disable_progress_bar()
    model, tokenizer = load_pretrained(wish.rest)
    digest = hashlib.sha256()
    for name, weights in model.state_dict().items():
        digest.update(name.encode())
        digest.update(weights.detach().contiguous().numpy().data)
    policy = TransformersPolicy(
        model.to(device, dtype),
        ChatEncoder(tokenizer, wish.env.protocol.name),
        max_new_tokens=wish.sampling.max_new_tokens,
        temperature=wish.sampling.temperature,
        batch_size=wish.sampling.batch_size,
    )
    template = str(tokenizer.chat_template).encode()
    return Chosen(
        policy,
        {
            "temperature": wish.sampling.temperature,
            "max_new_tokens": wish.sampling.max_new_tokens,
            "batch_size": wish.sampling.batch_size,
            "device": device.type,
            "dtype": str(dtype).removeprefix("torch."),
            "weights_sha256": digest.hexdigest(),
            "chat_template_sha256": hashlib.sha256(template).hexdigest(),
        },
        greedy=wish.sampling.temperature == 0,
    )


def _openai(wish: _Wish) -> Chosen:
    from agents.openai import OpenAIPolicy

    found = re.fullmatch(r"(.+?)@(https?://.+)", wish.rest)
    if found is None:
        raise ConfigurationError(
            f"agent='openai:{wish.rest}'; it is written openai:<model>@<base url>, e.g. "
            "openai:my-model@http://127.0.0.1:8000/v1"
        )
    policy = OpenAIPolicy(
        found[1],
        found[2],
        protocol=wish.env.protocol.name,
        temperature=wish.sampling.temperature,
        max_new_tokens=wish.sampling.max_new_tokens,
        options=wish.chat,
    )
    return Chosen(policy, policy.settings(), closing=policy, report=policy.report)


def _sb3(wish: _Wish) -> Chosen:
    from agents.sb3_policies import SB3Policy

    path = Path(wish.rest)
    if not path.is_file():
        raise ConfigurationError(f"agent='sb3:{wish.rest}': there is no such file")
    try:
        policy = SB3Policy.load(path, wish.env.protocol)
    except (KeyError, ValueError) as error:
        raise ConfigurationError(
            f"agent='sb3:{wish.rest}' is no model.zip of agents.sb3: {error}"
        ) from error
    return Chosen(policy, {"model_sha256": hashlib.sha256(path.read_bytes()).hexdigest()})


_MAKERS: Mapping[str, tuple[Callable[[_Wish], Chosen], str, str]] = {
    "gold": (_gold, "gold", ""),
    "random": (_random, "random", ""),
    "noisy": (_noisy, "noisy:<rate>", ""),
    "hf": (_hugging_face, "hf:<path or id>", "agents"),
    "openai": (_openai, "openai:<model>@<base url>", "openai"),
    "sb3": (_sb3, "sb3:<zip>", "sb3"),
}
"""For each kind what makes it, how it is written, and the extra with the packages it needs."""
