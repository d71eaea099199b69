"""Datasets: a row of a dataset becomes a ``Task``; a file of them becomes a ``TaskSet``."""

from toolrl_env.data.check import (
    CheckReport,
    InvalidGold,
    ShortGold,
    check_file,
    gold_errors,
    gold_shortfall,
)
from toolrl_env.data.dataset import Dataset, Row
from toolrl_env.data.load import DATASETS, load_tasks
from toolrl_env.data.source import RefusedRow, SampleDataWarning, TaskSet, TaskSource
from toolrl_env.data.split import SPLITS, split_of

__all__ = [
    "DATASETS",
    "SPLITS",
    "CheckReport",
    "Dataset",
    "InvalidGold",
    "RefusedRow",
    "Row",
    "SampleDataWarning",
    "ShortGold",
    "TaskSet",
    "TaskSource",
    "check_file",
    "gold_errors",
    "gold_shortfall",
    "load_tasks",
    "split_of",
]
