"""The conformance kit: what an environment, tasks, tools or an agent of your own have to keep.

>>> from toolrl_env.testing import check_environment
>>> check_environment("ToolRL-Toolbox-v0", difficulty=1, episodes=2, vector=False)

Each function returns if every promise is kept and raises ``ContractViolation`` with the first that
is not. Call them from your own tests.
"""

from toolrl_env.core.errors import ContractViolation
from toolrl_env.testing.agent import check_agent
from toolrl_env.testing.environment import check_environment
from toolrl_env.testing.task_source import DatasetReport, check_dataset
from toolrl_env.testing.tools import check_tools

__all__ = [
    "ContractViolation",
    "DatasetReport",
    "check_agent",
    "check_dataset",
    "check_environment",
    "check_tools",
]
