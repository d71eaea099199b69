"""Tools in a process of their own, which can be killed. Needs Linux.

``nursery`` is a small process that forks a worker for each session; ``worker`` runs the tools;
``client`` is this process's end; ``wire`` is what is said between them; ``provider`` makes it all
one more ``ToolProvider``.
"""

from toolrl_env.tools.isolation.provider import IsolatedProvider, IsolatedTools

__all__ = ["IsolatedProvider", "IsolatedTools"]
