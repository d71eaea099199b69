"""What a Minari dataset says of itself, and of the environment that its episodes are of."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from gymnasium.envs.registration import EnvSpec
from minari import MinariDataset
from minari.dataset.minari_dataset import parse_dataset_id
from minari.storage.datasets_root_dir import get_dataset_path

from agents.evaluating.settings import versions
from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.wrappers.arguments import encode_arguments

__all__ = [
    "About",
    "Origin",
    "check_id",
    "describe",
    "note_origin",
    "origin_of",
    "what_is_not_json",
    "without_advice",
]

_KEY = "toolrl"


@dataclass(frozen=True, slots=True)
class Origin:
    """The environment that a dataset's episodes are of.

    Attributes:
        env_id: Registered id.
        env_kwargs: Arguments for ``gym.make``, as ``encode_arguments`` writes them.
        fingerprint: Of the task set.
    """

    env_id: str
    env_kwargs: Mapping[str, Any]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class About:
    """What a dataset says of itself; fields that are empty are left out.

    Attributes:
        description: By default, which environment the episodes are of.
        author: Who made it.
        author_email: How to reach them.
        algorithm_name: What the answers came from.
        code_permalink: Where the code is that made it.
    """

    description: str = ""
    author: str = ""
    author_email: str = ""
    algorithm_name: str = ""
    code_permalink: str = ""


def check_id(dataset_id: str) -> None:
    """Check that a new dataset may have this id.

    Raises:
        ConfigurationError: It is malformed, or taken.
    """
    try:
        parse_dataset_id(dataset_id)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"dataset_id={dataset_id!r}; allowed: name-v0 or namespace/name-v0, of letters, "
            "digits, - and _, a namespace of at least 2"
        ) from error
    if get_dataset_path(dataset_id).exists():
        raise ConfigurationError(
            f"dataset_id={dataset_id!r} is taken; choose another version, or delete it with "
            "minari.delete_dataset"
        )


def what_is_not_json(spec: EnvSpec) -> str:
    """Say which argument of an environment or its wrappers JSON cannot carry; ``""`` if none."""
    given = {spec.id: spec.kwargs} | {w.name: w.kwargs or {} for w in spec.additional_wrappers}
    for owner, arguments in given.items():
        for name, value in arguments.items():
            try:
                json.dumps(value)
            except (TypeError, ValueError):
                return f"{name}={value!r:.80} of {owner} is not JSON"
    return ""


def describe(env_id: str, about: About | None) -> dict[str, Any]:
    """Return the arguments for Minari's ``create_dataset`` that describe a dataset."""
    said = {name: value for name, value in asdict(about or About()).items() if value}
    requirement = f"toolrl-env=={versions()['toolrl_env']}"
    return {"description": f"Episodes of {env_id}", "requirements": [requirement], **said}


def note_origin(dataset: MinariDataset, origin: Origin) -> None:
    """Add to the metadata, as ``toolrl``, the origin and the versions of what made the dataset."""
    noted = {**asdict(origin), "env_kwargs": dict(origin.env_kwargs), "versions": versions()}
    dataset.storage.update_metadata({_KEY: noted})


def origin_of(dataset: MinariDataset) -> tuple[str, dict[str, Any]]:
    """Return the environment's id, and its arguments as ``encode_arguments`` writes them.

    ``minari.combine_datasets`` keeps Minari's own description of the environment alone; then they
    are taken from there.

    Raises:
        DataError: The dataset has neither.
    """
    noted = dataset.storage.metadata.get(_KEY)
    if noted is not None:
        return noted["env_id"], noted["env_kwargs"]
    spec = dataset.env_spec
    if spec is None:
        raise DataError(f"{dataset.id} does not say which environment it is of")
    return spec.id, encode_arguments(spec.kwargs)


@contextmanager
def without_advice() -> Iterator[None]:
    """Keep Minari quiet about what ``About`` says may be left out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`\w+` is set to None|env_spec is None", UserWarning)
        yield
