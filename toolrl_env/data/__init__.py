"""Datasets: a row of a dataset becomes a ``Task``; a file of them becomes a ``TaskSet``."""
