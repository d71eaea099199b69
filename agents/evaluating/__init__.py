"""The parts of ``agents.evaluate``: settings, agents, playing, the durable log, results, tables."""
