"""BFCL: the official entries as tasks, the official checks as outcomes."""
