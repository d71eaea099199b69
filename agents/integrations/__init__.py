"""Environments of ours in the hands of other trainers, and theirs in ours."""
