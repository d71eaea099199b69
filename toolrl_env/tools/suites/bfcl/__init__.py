"""The eight simulated APIs of BFCL's multi-turn categories, executed safely."""

from toolrl_env.tools.suites.bfcl.docs import method_owners, spec_of, specs_of
from toolrl_env.tools.suites.bfcl.library import INSTALL, VERSION, Library, load_library
from toolrl_env.tools.suites.bfcl.world import CallOutcome, World, WorldState

__all__ = [
    "INSTALL",
    "VERSION",
    "CallOutcome",
    "Library",
    "World",
    "WorldState",
    "load_library",
    "method_owners",
    "spec_of",
    "specs_of",
]
