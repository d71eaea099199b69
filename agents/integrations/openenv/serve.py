"""Serve an environment of ours by OpenEnv's own server.

python -m agents.integrations.openenv.serve --env ToolRL-Workspace-v0 --port 8000
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass

import tyro
import uvicorn
from fastapi import FastAPI
from openenv.core.env_server import ConcurrencyConfig, create_app

from agents.env_kwargs import parse_env_kwargs
from agents.integrations.openenv.environment import ToolRLEnvironment
from agents.integrations.openenv.models import ToolRLAction, ToolRLObservation, ToolRLState
from agents.integrations.openenv.served import Served
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ToolRLError

__all__ = ["ServeConfig", "main", "make_app"]


@dataclass(frozen=True)
class ServeConfig:
    """What to serve, and where.

    Attributes:
        env: Registered environment id.
        env_kwargs: Keyword arguments for gym.make, as a JSON object.
        host: Address to listen on; 0.0.0.0 lets other machines in.
        port: Port to listen on.
        max_sessions: Sessions at the same time; more are refused.

    Raises:
        ConfigurationError: A value is out of range, or ``env_kwargs`` is not a JSON object.
    """

    env: str = "ToolRL-Toolbox-v0"
    env_kwargs: str = "{}"
    host: str = "127.0.0.1"
    port: int = 8000
    max_sessions: int = 64

    def __post_init__(self) -> None:
        """Refuse what cannot be served."""
        parse_env_kwargs(self.env_kwargs)
        whole_number("port", self.port, 1, 65_535)
        whole_number("max_sessions", self.max_sessions, 1)


def make_app(config: ServeConfig) -> FastAPI:
    """Return OpenEnv's application over an environment of ours.

    Every WebSocket is a session of its own; sessions run side by side in threads.

    Raises:
        ConfigurationError: There is no such environment or argument, or it cannot be served.
        InfrastructureError: The world of its first task cannot be opened.
    """
    served = Served(config.env, parse_env_kwargs(config.env_kwargs))
    app = create_app(
        functools.partial(ToolRLEnvironment, served),
        ToolRLAction,
        ToolRLObservation,
        env_name=config.env,
        concurrency_config=ConcurrencyConfig(max_concurrent_envs=config.max_sessions),
        state_cls=ToolRLState,
    )
    app.router.on_shutdown.append(served.close)
    return app


def main() -> None:
    """Run from the command line."""
    try:
        config = tyro.cli(ServeConfig, description=__doc__)
        app = make_app(config)
    except ToolRLError as error:
        print(f"agents.integrations.openenv.serve: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"{config.env} at http://{config.host}:{config.port} until it is stopped", flush=True)
    uvicorn.run(app, host=config.host, port=config.port, log_level="warning")


if __name__ == "__main__":
    main()
