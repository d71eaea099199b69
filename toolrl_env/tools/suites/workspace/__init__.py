"""The office of ``ToolRL-Workspace-v0``: a stateful suite of tools on SQLite in memory."""

from toolrl_env.tools.suites.workspace.database import MAX_BYTES, Database, Image
from toolrl_env.tools.suites.workspace.money import LOCKED
from toolrl_env.tools.suites.workspace.schema import TABLES, Row, Rows, Table
from toolrl_env.tools.suites.workspace.suite import FIELDS, WorkspaceSuite

__all__ = [
    "FIELDS",
    "LOCKED",
    "MAX_BYTES",
    "TABLES",
    "Database",
    "Image",
    "Row",
    "Rows",
    "Table",
    "WorkspaceSuite",
]
