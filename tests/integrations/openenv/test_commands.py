"""The command lines: serving, writing the deployment folder, and OpenEnv's own validation."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
import yaml
from openenv.core import GenericEnvClient

from agents.integrations.openenv import serve
from agents.integrations.openenv.client import ToolRLClient
from agents.integrations.openenv.gymnasium_env import OpenEnvEnv
from agents.integrations.openenv.models import ToolRLAction
from agents.integrations.openenv.package import PackageConfig, write_package
from tests.integrations.openenv.support import free_port, running
from toolrl_env.core.errors import ConfigurationError, UnknownName

ROOT = Path(__file__).parents[3]
TOOLBOX = "ToolRL-Toolbox-v0"


def run(*arguments, cwd=ROOT, path=ROOT):
    env = {**os.environ, "PYTHONPATH": str(path), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=env,
        cwd=cwd,
        check=False,
        timeout=120,
    )


@contextlib.contextmanager
def process(*arguments, port, cwd=ROOT):
    """Run a server in a process of its own; yield its address and itself once it is healthy."""
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env={**os.environ, "PYTHONPATH": str(cwd)},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while True:
            assert server.poll() is None, server.stderr.read()
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"{url}/health", timeout=5)
                break
        yield url, server
    finally:
        server.terminate()
        server.communicate(timeout=20)


def test_the_server_runs_from_the_command_line_and_passes_their_validation():
    port = free_port()
    module, kwargs = "agents.integrations.openenv.serve", '{"difficulty": 1}'
    options = ("--env", TOOLBOX, "--port", str(port), "--env-kwargs", kwargs)
    with process(module, *options, port=port) as (url, server):
        assert server.stdout.readline() == f"{TOOLBOX} at {url} until it is stopped\n"
        with ToolRLClient(url).sync() as client:
            assert client.reset(seed=0).observation.task_id
            assert client.state().env_kwargs == '{"difficulty": 1}'
        report = run("openenv.cli", "validate", "--url", url, "--timeout", "60")
    assert report.returncode == 0, report.stdout
    assert "Verdict: PASS" in report.stdout
    assert report.stdout.count("PASS ") == 6
    assert "FAIL" not in report.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--env", "ToolRL-Toolbx-v0"), "Toolbx"),
        (("--env-kwargs", "[1]"), "must be a JSON object"),
        (("--port", "0"), "port=0"),
    ],
)
def test_what_cannot_be_served_is_one_line_and_exit_status_2(arguments, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["serve", *arguments])
    with pytest.raises(SystemExit) as left:
        serve.main()
    assert left.value.code == 2
    assert said in capsys.readouterr().err


# ------------------------------------------------------------------ the folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("deploy") / "toolbox"
    kwargs = '{"difficulty": 1, "split": "test"}'
    done = run(
        "agents.integrations.openenv.package",
        *("--out", out, "--reward-range", "-3", "4", "--env", TOOLBOX, "--env-kwargs", kwargs),
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(out)), done.stderr
    return out


def test_the_folder_passes_their_static_validation(folder):
    report = run("openenv.cli", "validate", folder, "--level", "static", "--skip-build")
    assert report.returncode == 0, report.stdout
    assert "PASS  static.manifest" in report.stdout
    assert "Verdict: PASS" in report.stdout


def test_the_folder_is_what_their_build_and_push_look_for(folder):
    for name in ("openenv.yaml", "pyproject.toml", "README.md", "server/app.py"):
        assert (folder / name).is_file(), name
    assert "server.app" in (folder / "server" / "Dockerfile").read_text()
    manifest = yaml.safe_load((folder / "openenv.yaml").read_text())
    assert manifest["name"] == "toolrl_toolbox_v0"
    assert manifest["validation"]["reward"]["range"] == [-3.0, 4.0]
    requirements = (folder / "server" / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("openenv") for line in requirements)
    assert not any(line.startswith("torch") for line in requirements)


def test_the_server_runs_out_of_the_folder_alone(folder, tmp_path):
    """What the Dockerfile starts, without Docker: only the folder is on the path."""
    copy = shutil.copytree(folder, tmp_path / "app")
    port = free_port()
    app = copy / "server" / "app.py"
    app.write_text(app.read_text().replace('host="0.0.0.0"', f'host="127.0.0.1", port={port}'))
    with (
        process("server.app", port=port, cwd=copy) as (url, _),
        ToolRLClient(url).sync() as client,
    ):
        assert client.reset(seed=0).observation.task_id.startswith("toolbox-test")
        assert client.step(ToolRLAction(text="")).reward == -3.0


def test_the_folder_builds_as_a_distribution(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "app")
    options = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    done = run("pip", "wheel", *options, "--wheel-dir", tmp_path, copy)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("openenv_toolrl_toolbox_v0-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"server/app.py", "agents/integrations/openenv/serve.py"} <= names
    assert any(name.startswith("toolrl_env/data/bundled/") for name in names)


def test_a_package_that_cannot_be_meant_is_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for out in (tmp_path, file):
        with pytest.raises(ConfigurationError, match=f"out={out}; allowed: a new folder"):
            PackageConfig(out, (-3, 4))
    with pytest.raises(ConfigurationError, match=f"out={file}/out cannot be made: Not a directory"):
        write_package(PackageConfig(file / "out", (-3, 4)))
    with pytest.raises(ConfigurationError, match="it must be low < high"):
        PackageConfig(tmp_path / "out", (4, -3))
    with pytest.raises(UnknownName, match=r"unknown extra 'serch'.*Did you mean 'search'"):
        write_package(PackageConfig(tmp_path / "out", (-3, 4), extras=("serch",)))
    with pytest.raises(ConfigurationError, match="Toolbx"):
        write_package(PackageConfig(tmp_path / "out", (-3, 4), env="ToolRL-Toolbx-v0"))
    assert not (tmp_path / "out").exists()


# ------------------------------------------------------------------ an environment of theirs


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    """Return the echo environment that ``openenv init`` writes: OpenEnv's own code."""
    where = tmp_path_factory.mktemp("theirs")
    done = run("openenv.cli", "init", "echo_env", "--output-dir", where, cwd=where)
    assert (where / "echo_env" / "models.py").is_file(), done.stdout + done.stderr
    sys.path.insert(0, str(where))
    try:
        yield {
            name: importlib.import_module(f"echo_env.{name}")
            for name in ("models", "client", "server.app", "server.echo_env_environment")
        }
    finally:
        sys.path.remove(str(where))


def test_their_echo_environment_in_process_and_over_the_wire(echo):
    action = echo["models"].EchoAction
    with running(echo["server.app"].app) as url:
        ways = {
            "object": (echo["server.echo_env_environment"].EchoEnvironment(), action),
            "url": (url, None),
            "generic client": (GenericEnvClient(url), None),
            "their client": (echo["client"].EchoEnv(base_url=url), action),
        }
        played = {}
        for name, (source, action_type) in ways.items():
            env = OpenEnvEnv(source, bad_action_reward=-1.0, action_type=action_type)
            played[name] = [env.reset(seed=1)[0], *(env.step(word)[:4] for word in ("hi", "", "ü"))]
            env.close()
    assert all(each == played["object"] for each in played.values())
    assert '"echoed_message": "hi"' in played["object"][1][0]
    assert played["object"][1][1:] == (pytest.approx(0.2), False, False)
