"""The official BFCL library (PyPI ``bfcl-eval``, Apache-2.0), imported only when it is asked for.

A plain install of it brings about 125 packages that none of this needs. Two precautions make the
small install work and keep it from touching anything else:

* Its table of models imports every model handler. A stand-in is put into ``sys.modules`` while the
  checker is being imported, and whatever was there before is put back afterwards. The checker is
  loaded under a name of ours, so that a table of models that somebody else imported stays theirs.
* Importing its ``utils`` makes directories under ``BFCL_PROJECT_ROOT``, by default in
  ``site-packages``. Unless the user has set that variable, it points at a temporary directory
  during the import; the directory is removed when the process ends.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolrl_env.core.errors import ConfigurationError

__all__ = ["INSTALL", "VERSION", "Library", "load_library"]

VERSION = "2026.3.23"
"""The release that the agreement benchmark was run against."""
INSTALL = f"pip install --no-deps bfcl-eval=={VERSION} filelock mpmath"
"""The command that installs what is needed and no more."""
MODEL = "toolrl-env"
"""The model name that the official checker is given."""

Entry = dict[str, Any]

_TABLE = "bfcl_eval.constants.model_config"
_CHECKER = "bfcl_eval.eval_checker.ast_eval.ast_checker"
_ROOT = "BFCL_PROJECT_ROOT"
_LOCK = threading.Lock()
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Library:
    """What is used of the official library.

    Attributes:
        version: The installed release.
        entries: ``entries(category, include_language_specific_hint=False)`` gives a category's
            entries, with their functions.
        answers: ``answers(category)`` gives the official possible answers or gold trajectories.
        rows: ``rows(category)`` gives a category's rows as they stand in their file.
        docs: ``docs(class_name)`` gives the documentation of a simulated API's methods.
        ast_check: ``ast_check(functions, output, answer, language, category, MODEL)``.
        languages: ``"python"``, ``"java"``, ``"javascript"`` to the official enumeration.
        classes: The eight simulated APIs by class name.
        stateless: Names of those that are used without a scenario.
        more_functions: What the official user says when held-out functions arrive.
    """

    version: str
    entries: Callable[..., list[Entry]]
    answers: Callable[[str], list[Entry]]
    rows: Callable[[str], list[Entry]]
    docs: Callable[[str], list[Entry]]
    ast_check: Callable[..., dict[str, Any]]
    languages: Mapping[str, Any]
    classes: Mapping[str, Callable[[], Any]]
    stateless: frozenset[str]
    more_functions: str


CLASSES = (
    "GorillaFileSystem",
    "MathAPI",
    "MessageAPI",
    "TwitterAPI",
    "TicketAPI",
    "TradingBot",
    "TravelAPI",
    "VehicleControlAPI",
)
"""The simulated APIs of the multi-turn categories."""


def load_library() -> Library:
    """Import the official library once and return what is used of it.

    Raises:
        ConfigurationError: It is not installed; the message is the command to run.
    """
    with _LOCK:
        return _load()


@functools.cache
def _load() -> Library:
    try:
        version = importlib.metadata.version("bfcl-eval")
        with _project_root(), _model_table():
            utils = importlib.import_module("bfcl_eval.utils")
            checker = _private_copy(_CHECKER)
            languages = importlib.import_module("bfcl_eval.constants.enums").Language
            prompts = importlib.import_module("bfcl_eval.constants.default_prompts")
            backend = importlib.import_module("bfcl_eval.constants.executable_backend_config")
            classes = {name: _class(backend, name) for name in CLASSES}
    except ImportError as error:
        raise ConfigurationError(
            f"the BFCL environments need the official data and checkers ({error}): {INSTALL}"
        ) from error
    data, docs = Path(utils.PROMPT_PATH), Path(utils.MULTI_TURN_FUNC_DOC_PATH)
    doc_files: Mapping[str, str] = backend.MULTI_TURN_FUNC_DOC_FILE_MAPPING
    return Library(
        version=version,
        entries=utils.load_dataset_entry,
        answers=utils.load_ground_truth_entry,
        rows=lambda category: utils.load_file(data / f"{utils.VERSION_PREFIX}_{category}.json"),
        docs=lambda name: utils.load_file(docs / doc_files[name]),
        ast_check=checker.ast_checker,
        languages={language.value: language for language in languages},
        classes=classes,
        stateless=frozenset(backend.STATELESS_CLASSES),
        more_functions=prompts.DEFAULT_USER_PROMPT_FOR_ADDITIONAL_FUNCTION_FC,
    )


def _class(backend: Any, name: str) -> Callable[[], Any]:
    module = importlib.import_module(backend.CLASS_FILE_PATH_MAPPING[name])
    return vars(module)[name]


def _private_copy(name: str) -> types.ModuleType:
    """Return a module of the library executed afresh, which nobody else sees."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"no module {name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _NoRenaming:
    """A model's row of the table: its function names keep their dots."""

    underscore_to_dot = False


@contextlib.contextmanager
def _model_table() -> Generator[None]:
    stand_in: Any = types.ModuleType(_TABLE)
    stand_in.MODEL_CONFIG_MAPPING = {MODEL: _NoRenaming}
    before: Any = sys.modules.get(_TABLE, _ABSENT)
    sys.modules[_TABLE] = stand_in
    try:
        yield
    finally:
        del sys.modules[_TABLE]
        if before is not _ABSENT:
            sys.modules[_TABLE] = before


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="toolrl-bfcl-")


@contextlib.contextmanager
def _project_root() -> Generator[None]:
    if _ROOT in os.environ:
        yield
        return
    os.environ[_ROOT] = _scratch().name
    try:
        yield
    finally:
        del os.environ[_ROOT]
