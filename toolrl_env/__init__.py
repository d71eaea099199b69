"""Tool-use tasks for language models as Gymnasium environments.

Importing the package registers the environments:

>>> import gymnasium, toolrl_env
>>> "ToolRL-ToolACE-v0" in gymnasium.registry
True
"""

from toolrl_env.registration import register_all

__all__ = ["__version__"]

__version__ = "0.1.0"

register_all()
