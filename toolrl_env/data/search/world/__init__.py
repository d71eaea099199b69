"""The invented republic of Tamarel: a corpus of short passages and two-hop questions on it.

Nothing in it exists, so no model knows an answer from its training. ``names.toml``,
``phrases.toml`` and ``kinds.toml`` hold what was written by hand; ``build`` draws a table of facts
from a seed, ``passages`` puts it into words, ``questions`` asks about it, and
``python -m toolrl_env.data.search.world.generate`` writes both files again, byte for byte. Only
``files`` is needed to use them.
"""
