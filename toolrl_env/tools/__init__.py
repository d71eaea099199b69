"""Tools: their schemas, checking calls against them, and really running them."""

from toolrl_env.tools.agreement import agreement, results_agree, values_agree
from toolrl_env.tools.documented import documented_to_schema
from toolrl_env.tools.execution import as_parsed, execute_calls, run_calls
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.provider import OpenTools, ToolProvider
from toolrl_env.tools.signature import Limits
from toolrl_env.tools.suite import SuiteSnapshot, ToolSuite, read, write
from toolrl_env.tools.tool import Tool, ToolError, tool_from_function
from toolrl_env.tools.toolkit import prefixed, toolkit
from toolrl_env.tools.validation import CallValidator

__all__ = [
    "CallLimits",
    "CallValidator",
    "Limits",
    "OpenTools",
    "SuiteSnapshot",
    "Tool",
    "ToolError",
    "ToolProvider",
    "ToolSuite",
    "agreement",
    "as_parsed",
    "documented_to_schema",
    "execute_calls",
    "prefixed",
    "read",
    "results_agree",
    "run_calls",
    "tool_from_function",
    "toolkit",
    "values_agree",
    "write",
]
