"""Between text and models: the defaults, and that no text is more than data."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openenv.core.env_server.mcp_types import CallToolAction

from agents.integrations.openenv.failures import failure_kind, marked
from agents.integrations.openenv.models import ToolRLAction
from agents.integrations.openenv.texts import (
    field_text,
    observation_text,
    read_model,
    read_schema,
)
from tests.integrations.openenv.support import Guess, Heard, Hint, Say
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind

MODELS = (Say, Guess, CallToolAction, ToolRLAction)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_only_text_field_is_the_text(text):
    assert read_model(Say)(text) == Say(word=text)
    assert read_schema(Say.model_json_schema())(text) == {"word": text}


@given(st.integers(-1000, 1000).map(lambda n: 2 * n), st.booleans())
def test_an_action_of_several_fields_is_json(number, sure):
    action = Guess(number=number, sure=sure)
    text = json.dumps({"number": number, "sure": sure})
    assert read_model(Guess)(text) == action
    assert read_model(Guess)(action.model_dump_json()) == action
    assert read_schema(Guess.model_json_schema())(text) == {"number": number, "sure": sure}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seven", "not JSON"),
        ("[2]", "a JSON object, not a list"),
        ('{"sure": true}', "number"),
        ('{"number": "many"}', "number"),
        ('{"number": 2, "colour": "red"}', "colour"),
        ("[" * 1000, "nested"),
        ('{"number": ' + "9" * 5000 + "}", "not JSON"),
    ],
)
def test_what_is_no_action_is_said(text, said):
    for read in (read_model(Guess), read_schema(Guess.model_json_schema())):
        with pytest.raises(ValueError, match=said):
            read(text)


def test_a_rule_that_no_schema_says_is_the_models():
    with pytest.raises(ValueError, match="number: Value error, must be even"):
        read_model(Guess)('{"number": 3}')
    assert read_schema(Guess.model_json_schema())('{"number": 3}') == {"number": 3}


@given(st.one_of(st.text(), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
def test_any_text_is_an_action_or_a_value_error(text):
    for model in MODELS:
        for read in (read_model(model), read_schema(model.model_json_schema())):
            with contextlib.suppress(ValueError):
                assert read(text) is not None


def test_a_schema_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="no JSON Schema"):
        read_schema({"type": 3})


def test_one_text_field_is_shown_as_it_is_and_more_as_json():
    heard = Heard(answer="hé", reward=1.0, done=True, metadata={"a": 1})
    assert observation_text(heard) == observation_text(heard.model_dump()) == "hé"
    hint = Hint(hint="hé", left=2, reward=1.0)
    assert observation_text(hint) == observation_text(hint.model_dump())
    assert json.loads(observation_text(hint)) == {"hint": "hé", "left": 2}
    assert observation_text({"left": 2}) == '{"left": 2}'


def test_a_field_can_be_shown_alone():
    assert field_text("hint")(Hint(hint="x", left=1)) == "x"
    with pytest.raises(ConfigurationError, match=r"no text field 'left'; its fields: .*hint"):
        field_text("left")(Hint(hint="x", left=1))
    with pytest.raises(ConfigurationError, match="an observation is a str"):
        observation_text("x")


@pytest.mark.parametrize("kind", FailureKind)
def test_the_kind_of_a_failure_survives_as_text(kind):
    error = marked(InfrastructureError("it said: (code: X)", kind))
    assert error.kind is kind
    assert failure_kind(f"Server error: {error} (code: EXECUTION_ERROR)") is kind
