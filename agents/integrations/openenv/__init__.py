"""OpenEnv: environments of ours behind its server, and its environments as Gymnasium's."""
