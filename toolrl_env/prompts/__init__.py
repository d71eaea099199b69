"""Prompts: a ``Task`` becomes chat messages and the text an agent observes."""

from toolrl_env.prompts.default import DEFAULT, SHORT, get_template, template_names
from toolrl_env.prompts.prompter import PROTOCOLS, ChatTemplate, Prompter, TemplateSource
from toolrl_env.prompts.template import PromptTemplate

__all__ = [
    "DEFAULT",
    "PROTOCOLS",
    "SHORT",
    "ChatTemplate",
    "PromptTemplate",
    "Prompter",
    "TemplateSource",
    "get_template",
    "template_names",
]
