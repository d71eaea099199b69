from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.tools.suites.bfcl import INSTALL, VERSION
from toolrl_env.tools.suites.bfcl import library as module
from toolrl_env.tools.suites.bfcl.library import CLASSES, MODEL, Library


def python(code: str, **environment: str) -> str:
    env = {k: v for k, v in os.environ.items() if k != "BFCL_PROJECT_ROOT"} | environment
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True
    )
    return done.stdout.strip()


def test_the_release_is_the_one_the_benchmark_was_run_against(library: Library) -> None:
    assert library.version == VERSION


def test_a_missing_library_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ConfigurationError) as caught:
        module._load.__wrapped__()
    assert INSTALL in str(caught.value)
    assert f"bfcl-eval=={VERSION}" in INSTALL
    assert "--no-deps" in INSTALL


def test_a_missing_dependency_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(module.importlib, "import_module", missing)
    with pytest.raises(ConfigurationError, match="pip install"):
        module._load.__wrapped__()


def test_it_is_imported_only_when_asked_for() -> None:
    code = "import sys, toolrl_env.data.bfcl; print('bfcl_eval' in sys.modules)"
    assert python(code) == "False"


def test_loading_leaves_no_trace() -> None:
    code = """
import os, sys
from pathlib import Path
from toolrl_env.tools.suites.bfcl import load_library
load_library()
import bfcl_eval
site = Path(bfcl_eval.__file__).parents[1]
print('BFCL_PROJECT_ROOT' in os.environ,
      'bfcl_eval.constants.model_config' in sys.modules,
      [p for p in ('result', 'score', '.file_locks') if (site / p).exists()])
"""
    assert python(code) == "False False []"


def test_the_users_project_root_is_respected(tmp_path: Path) -> None:
    code = "from toolrl_env.tools.suites.bfcl import load_library; load_library()"
    python(code, BFCL_PROJECT_ROOT=str(tmp_path))
    assert (tmp_path / "result").is_dir()


def test_a_model_table_that_was_imported_before_stays() -> None:
    code = """
import sys, types
table = types.ModuleType('table')
sys.modules['bfcl_eval.constants.model_config'] = table
from toolrl_env.tools.suites.bfcl import load_library
load_library()
print(sys.modules['bfcl_eval.constants.model_config'] is table)
"""
    assert python(code) == "True"


def test_the_eight_classes_are_there(library: Library) -> None:
    assert tuple(library.classes) == CLASSES
    assert library.stateless == {"MathAPI"}
    assert all(name == cls.__name__ for name, cls in library.classes.items())


def test_the_official_checker_answers(library: Library) -> None:
    function = {
        "name": "geo.area",
        "parameters": {
            "type": "dict",
            "properties": {"side": {"type": "integer"}},
            "required": ["side"],
        },
    }
    answer = [{"geo.area": {"side": [3]}}]
    languages = library.languages

    def valid(output: list[dict[str, object]]) -> bool:
        verdict = library.ast_check(
            [function], output, answer, languages["python"], "simple_python", MODEL
        )
        return verdict["valid"]

    assert valid([{"geo.area": {"side": 3}}])
    assert not valid([{"geo.area": {"side": 4}}])
    assert not valid([{"geo_area": {"side": 3}}])
    assert set(languages) == {"python", "java", "javascript"}
