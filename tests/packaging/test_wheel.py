"""The wheel: what it ships, what it needs, and that it works on its own, without torch."""

from __future__ import annotations

import email
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import toolrl_env

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel offline, from a copy of what a checkout has."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("toolrl_env", "agents", "benchmarks", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*build, "--no-build-isolation", "-w", out, source], check=True)
    (built,) = out.glob("*.whl")
    return built


def test_it_ships_the_package_alone(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"toolrl_env", f"toolrl_env-{toolrl_env.__version__}.dist-info"}
    missing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "toolrl_env").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } - names
    assert not missing
    assert "toolrl_env/py.typed" in names
    assert sum(name.endswith(".jsonl.gz") for name in names) >= 5


def test_it_says_what_it_is(wheel):
    archive = zipfile.ZipFile(wheel)
    info = f"toolrl_env-{toolrl_env.__version__}.dist-info"
    metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
    assert metadata["Name"] == PROJECT["name"]
    assert metadata["Version"] == PROJECT["version"] == toolrl_env.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "toolrl = toolrl_env.cli:main" in archive.read(f"{info}/entry_points.txt").decode()
    assert f"{info}/licenses/LICENSE" in archive.namelist()


def test_what_it_always_needs_is_short(wheel):
    always = {line.split(">")[0] for line in PROJECT["dependencies"]}
    assert always == {"gymnasium", "numpy", "jsonschema", "referencing", "rich", "tyro"}


ALONE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "stable_baselines3", "agents"}:
            raise ImportError(f"{name} is not part of this")

sys.meta_path.insert(0, Refuse())
import gymnasium as gym

env = gym.make("toolrl_env:ToolRL-ToolACE-v0")
observation, info = env.reset(seed=0)
*_, info = env.step(env.unwrapped.gold_answer())
import toolrl_env
print(toolrl_env.__file__)
print(info["reward"]["total"] in (1.0, 4.0))
from toolrl_env.testing import check_environment
for row in toolrl_env.registration.ENVIRONMENTS:
    check_environment(row.id, episodes=2, vector=False)
"""


def test_it_works_on_its_own_without_torch(wheel, tmp_path):
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", target, wheel], check=True)
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE],
        cwd=tmp_path,
        env={"PYTHONPATH": str(target), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    file, best = run.stdout.splitlines()
    assert Path(file).is_relative_to(target)
    assert best == "True"
