"""Policies and trainers that consume the environments. Runs from a checkout; not in the wheel."""
