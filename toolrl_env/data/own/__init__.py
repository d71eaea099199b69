"""Tasks of your own over tools of your own."""

from toolrl_env.data.own.source import OwnTasks
from toolrl_env.data.own.task import Goal, OwnTask

__all__ = ["Goal", "OwnTask", "OwnTasks"]
