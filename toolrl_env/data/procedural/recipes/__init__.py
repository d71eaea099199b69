"""The recipes of the toolbox, by tool."""

from __future__ import annotations

from toolrl_env.data.procedural.recipe import Recipe
from toolrl_env.data.procedural.recipes import (
    arithmetic,
    dates,
    figures,
    lookup,
    measures,
    money,
    text,
    wordlists,
)

__all__ = ["RECIPES"]

RECIPES: dict[str, Recipe] = {
    recipe.tool: recipe
    for module in (arithmetic, figures, money, dates, text, wordlists, measures, lookup)
    for recipe in module.RECIPES
}
"""Every recipe by the name of its tool."""
