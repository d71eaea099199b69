"""Tool suites that ship with the package."""
