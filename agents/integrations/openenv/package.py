"""Write the folder that ``openenv build`` and ``openenv push`` take, for an environment of ours."""

from __future__ import annotations

import json
import math
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
import yaml

from agents.env_kwargs import parse_env_kwargs
from agents.integrations.openenv.serve import ServeConfig
from agents.integrations.openenv.served import Served
from toolrl_env import __version__
from toolrl_env.core.errors import ConfigurationError, ToolRLError, UnknownName

__all__ = ["PackageConfig", "main", "write_package"]

_ROOT = Path(__file__).parents[3]
_APP = '''"""OpenEnv serves {env} from here. Written by agents.integrations.openenv.package."""

import uvicorn

from agents.integrations.openenv.serve import ServeConfig, make_app

CONFIG = ServeConfig(
    env={env!r}, env_kwargs={env_kwargs!r}, host="0.0.0.0", max_sessions={max_sessions!r}
)
app = make_app(CONFIG)


def main() -> None:
    """Serve."""
    uvicorn.run(app, host=CONFIG.host, port=CONFIG.port)


if __name__ == "__main__":
    main()
'''
_DOCKERFILE = """FROM python:3.11-slim
WORKDIR /app
COPY server/requirements.txt server/
RUN pip install --no-cache-dir -r server/requirements.txt
COPY . .
EXPOSE 8000
HEALTHCHECK CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health')"
CMD ["python", "-m", "server.app"]
"""
_README = """---
title: {name}
sdk: docker
app_port: 8000
tags:
  - openenv
---

# {env}

An environment of ToolRL-Env, served by OpenEnv. Arguments: `{env_kwargs}`. The client class is
`agents.integrations.openenv.client.ToolRLClient`; OpenEnv's `GenericEnvClient` does too.
"""
_PYPROJECT = """[project]
name = "openenv-{name}"
version = "{version}"
requires-python = ">=3.11"
dependencies = {dependencies}

[project.scripts]
server = "server.app:main"

[build-system]
requires = ["hatchling>=1.25"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["server", "agents", "toolrl_env"]
"""


@dataclass(frozen=True)
class PackageConfig:
    """What to write, and where.

    Attributes:
        out: The folder; must not exist yet, or be empty.
        reward_range: Least and greatest reward of a step, which OpenEnv's manifest declares; for
            the paper's reward -3 4.
        env: Registered environment id.
        env_kwargs: Keyword arguments for gym.make, as a JSON object.
        max_sessions: Sessions at the same time; more are refused.
        extras: Extras of this project that the environment needs, e.g. search.

    Raises:
        ConfigurationError: A value cannot be meant.
    """

    out: Path
    reward_range: tuple[float, float]
    env: str = "ToolRL-Toolbox-v0"
    env_kwargs: str = "{}"
    max_sessions: int = 64
    extras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be written."""
        ServeConfig(self.env, self.env_kwargs, max_sessions=self.max_sessions)
        low, high = self.reward_range
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ConfigurationError(f"reward_range={self.reward_range}; it must be low < high")
        if self.out.exists() and not (self.out.is_dir() and not any(self.out.iterdir())):
            raise ConfigurationError(f"out={self.out}; allowed: a new folder, or an empty one")

    @property
    def name(self) -> str:
        """The id as OpenEnv writes names."""
        return self.env.lower().replace("-", "_")


def write_package(config: PackageConfig) -> Path:
    """Write the folder: manifest, server, Dockerfile, and a copy of the code; return it.

    Raises:
        ConfigurationError: The environment cannot be served, there is no such extra, or the folder
            cannot be made.
        InfrastructureError: The world of its first task cannot be opened.
    """
    Served(config.env, parse_env_kwargs(config.env_kwargs)).close()
    needed = _dependencies(config.extras)
    server = config.out / "server"
    try:
        server.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"out={config.out} cannot be made: {error.strerror}") from error
    for package in ("agents", "toolrl_env"):
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_ROOT / package, config.out / package, ignore=left_out)
    named = {
        "name": config.name,
        "env": config.env,
        "env_kwargs": config.env_kwargs,
        "max_sessions": config.max_sessions,
        "version": __version__,
        "dependencies": json.dumps(needed, indent=2),
    }
    texts = {
        config.out / "openenv.yaml": yaml.safe_dump(_manifest(config), sort_keys=False),
        config.out / "pyproject.toml": _PYPROJECT.format(**named),
        config.out / "README.md": _README.format(**named),
        server / "__init__.py": '"""The server."""\n',
        server / "app.py": _APP.format(**named),
        server / "Dockerfile": _DOCKERFILE,
        server / "requirements.txt": "\n".join(needed) + "\n",
    }
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    return config.out


def _dependencies(extras: tuple[str, ...]) -> list[str]:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional: dict[str, list[str]] = project["optional-dependencies"]
    for extra in extras:
        if extra not in optional:
            raise UnknownName("extra", extra, optional)
    wanted = [project["dependencies"], *(optional[extra] for extra in ("openenv", *extras))]
    return sorted({requirement for group in wanted for requirement in group})


def _manifest(config: PackageConfig) -> dict[str, Any]:
    return {
        "spec_version": 1,
        "name": config.name,
        "version": __version__,
        "type": "space",
        "runtime": "fastapi",
        "app": "server.app:app",
        "port": 8000,
        "validation": {
            "reward": {
                "range": list(config.reward_range),
                "oracle_tolerance": 0.0,
                "floor_margin": 0.1,
            },
            "resources": {
                "cpu": 1.0,
                "memory_mb": 2048,
                "disk_mb": 2048,
                "episode_timeout_s": 600.0,
            },
            "capabilities": {"verifier": {"kind": "reward_channel"}, "task_api": True},
            "types": {"tags": ["tool-use"]},
        },
    }


def main() -> None:
    """Run from the command line."""
    try:
        print(write_package(tyro.cli(PackageConfig, description=__doc__)))
    except ToolRLError as error:
        print(f"agents.integrations.openenv.package: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
