"""From tool use to the numeric spaces of classical reinforcement learning, without the answer."""
