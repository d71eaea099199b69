"""Prompts: a ``Task`` becomes chat messages and the text an agent observes."""
