from __future__ import annotations

import warnings

import pytest

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ErrorCode, ParseStatus, ToolCall
from toolrl_env.parsing import get_protocol, parse_ground_truth
from toolrl_env.parsing.python_literals import BadSyntax, read_literal, write_literal

PYTHON = get_protocol("python")


def call(name: str, /, **arguments: object) -> dict[str, object]:
    return {"name": name, "parameters": arguments}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('[f(a=1, b="x"), g()]', (call("f", a=1, b="x"), call("g"))),
        ('[Search Managers(name="x")]', (call("Search Managers", name="x"),)),
        ("[Today's Quiz(x=1)]", (call("Today's Quiz", x=1),)),
        ("[a.b/c-d(x=1)]", (call("a.b/c-d", x=1),)),
        ("[ f ( a = 1 ) , ]", (call("f", a=1),)),
        ("[f(a=True, b=None, c=false, d=null)]", (call("f", a=True, b=None, c=False, d=None),)),
        ("[f(a=(1, 2), b=(1), c=(), d=(1,))]", (call("f", a=[1, 2], b=1, c=[], d=[1]),)),
        ("[f(a={'k': [1, {'z': 'q'}]})]", (call("f", a={"k": [1, {"z": "q"}]}),)),
        ("[f(a=[1, 2,], b={'k': 1,})]", (call("f", a=[1, 2], b={"k": 1}),)),
        ("[f(a=-1.5e3, b=.5, c=5., d=+7, e=007)]", (call("f", a=-1500.0, b=0.5, c=5.0, d=7, e=7),)),
        ('[f(a=\'it\\\'s\', b="say \\"hi\\"")]', (call("f", a="it's", b='say "hi"'),)),
        (r"[f(a='\n\t\x41\u00e9\101\\', b='\d\/')]", (call("f", a="\n\tAéA\\", b="\\d/"),)),
        ("[f(a=')], g(x=\"', b='[f(')]", (call("f", a=')], g(x="', b="[f("),)),
        ('[f(**{"odd key": 1}, b=2)]', (call("f", **{"odd key": 1, "b": 2}),)),
        ("[f(my-key=1, the key=2)]", (call("f", **{"my-key": 1, "the key": 2}),)),
        ("[f(a=1, a=2)]", (call("f", a=2),)),
        ("[f(\n  a=1,\n  b='two\nlines',\n)]", (call("f", a=1, b="two\nlines"),)),
        ("[f(a=1e400)]", (call("f", a=float("inf")),)),
        ("[f(a='<tool_call>')]", (call("f", a="<tool_call>"),)),
    ],
)
def test_what_is_read(text, values):
    action = PYTHON.parse(text)
    assert action.values == values
    assert (action.status, action.issues, action.response) == (ParseStatus.CALLS, (), None)
    for found, value in zip(action.calls, values, strict=True):
        assert found.name == value["name"]
        assert found.arguments == value["parameters"]
        assert action.text[slice(*found.span)] == found.raw


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[f(1)]", "named"),
        ("[f(a=1", "never closed"),
        ("[f(a=1)", "expected ',' or ']'"),
        ("[f(a=1) g()]", "expected ',' or ']'"),
        ("[f(a='x)]", "string is never closed"),
        ("[f(a=Paris)]", "quote it"),
        ("[f(a=1 2)]", "not a literal"),
        ("[f(a='x' 'y')]", "not a literal"),
        ("[f(a={1, 2})]", "not a literal"),
        ("[f(a=)]", "not a literal"),
        ("[f(a=[1)]", "closes nothing"),
        ("[f(a=g(1))]", "quote it"),
        ("[f(a==1)]", "named"),
        ("[f(=1)]", "named"),
        ("[f(a=1), g]", "expected a call"),
        ("[f(**1)]", "dictionary"),
        ("[f(a=" + "9" * 5_000 + ")]", "not a literal"),
        ("[f(a=" + "[" * 300 + "]" * 300 + ")]", "too deeply"),
    ],
)
def test_what_cannot_be_read_is_explained(text, words):
    action = PYTHON.parse(text)
    assert (action.status, action.values) == (ParseStatus.MALFORMED, None)
    assert words in action.issues[0].message
    assert action.calls[0].name == "f"
    assert not PYTHON.layout_ok(action, True, False) or "deeply" in words


def test_calls_before_the_broken_one_are_kept():
    action = PYTHON.parse("[f(a=1), g(b=], h()]")
    assert [found.name for found in action.calls] == ["f", "g"]
    assert action.calls[0].issue is None
    assert action.calls[1].raw == "g(b=], h()]"


@pytest.mark.parametrize(
    "text", ["Hello", "[1, 2]", "[note] f(x)", "f(a=1)", "[](x)", "[ (x=1)]", "['a' (b)]"]
)
def test_other_text_is_a_response(text):
    action = PYTHON.parse(text)
    assert action.status is ParseStatus.NO_CALLS
    assert not action.issues


def test_thought_list_and_response():
    action = PYTHON.parse("<think> hm </think>\n[f(a=1)]\nI asked.")
    assert (action.think, action.response) == ("hm", "I asked.")
    assert PYTHON.layout_ok(action, True, True)
    assert not PYTHON.layout_ok(action, True, False)


def test_the_empty_list_makes_no_calls():
    action = PYTHON.parse("<think> nothing fits </think>\n[]")
    assert (action.status, action.values, action.response) == (ParseStatus.NO_CALLS, None, None)
    assert PYTHON.layout_ok(action, False, False)


def test_hostile_text_emits_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PYTHON.parse(r"[f(a='\d\w\q', b=1if 2else 3, c=0xfor)]")


def test_gold_is_rewritten():
    gold = parse_ground_truth(
        '<think> a </think>\n<tool_call>\n{"name": "Get It", "parameters": {"x y": 1, "z": [true]}}'
        "\n</tool_call>"
    )
    text = PYTHON.render_gold(gold)
    assert text == '<think> a </think>\n[Get It(**{"x y": 1, "z": [True]})]'
    assert PYTHON.parse(text).values == gold.values


@pytest.mark.parametrize("name", ["", " f", "f(", "a,b", "a=b", 'say "x"', "it's'", "a\nb", "[f]"])
def test_names_that_the_syntax_cannot_hold_are_refused(name):
    with pytest.raises(ConfigurationError, match="cannot carry"):
        PYTHON.render([ToolCall(name, {})])


def test_text_that_would_be_read_as_calls_is_refused():
    with pytest.raises(ConfigurationError):
        PYTHON.render([], response="[f(x=1)]")


def test_literals_are_tokens_not_code():
    assert read_literal("'a' )", 0) == ('"a"', 4)
    assert read_literal("{'k': (1, None)}, b", 0)[0] == '{"k":[ 1, null]}'
    with pytest.raises(BadSyntax) as raised:
        read_literal("__import__('os')", 0)
    assert raised.value.position == 0
    assert write_literal(["a", None, {"k": 1.0}]) == '["a", None, {"k": 1.0}]'
    with pytest.raises(TypeError, match="strings"):
        write_literal({1: 2})


def test_code_points_out_of_range_stay_as_written():
    action = PYTHON.parse(r"[f(a='\UFFFFFFFF')]")
    assert action.values == (call("f", a="\\UFFFFFFFF"),)
    assert action.calls[0].issue is None


def test_codes_of_failures():
    deep = PYTHON.parse("[f(a=" + "[" * 300 + "]" * 300 + ")]")
    assert deep.issues[0].code is ErrorCode.TOO_DEEP
    assert PYTHON.parse("[f(1)]").issues[0].code is ErrorCode.BAD_SYNTAX
