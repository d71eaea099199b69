from __future__ import annotations

import pytest

from toolrl_env.parsing.glance import decode_block, glance

LINE = '{"name": "f", "parameters": {}}'
GOOD = f"<think> a </think>\n<tool_call>\n{LINE}\n</tool_call>"
BOTH = GOOD + "\n<response> b </response>"


@pytest.mark.parametrize(
    ("text", "has_response", "right", "block"),
    [
        (GOOD, False, True, LINE),
        (GOOD + "\n", False, True, LINE),
        (GOOD, True, False, LINE),
        (BOTH, True, True, LINE),
        (BOTH, False, False, LINE),
        (GOOD + " ", False, False, LINE),
        (GOOD.replace(" a ", " a < b "), False, True, LINE),
        (GOOD.replace(LINE, LINE + "\n" + LINE), False, True, LINE + "\n" + LINE),
        (GOOD.replace(LINE, f"\n {LINE} \n"), False, True, LINE),
        (GOOD.replace(LINE, '{"x": "<b>"}'), False, True, '{"x": "<b>"}'),
        (GOOD.replace("</tool_call>", ""), False, False, None),
        (GOOD.replace("<tool_call>", ""), False, False, None),
        ("</tool_call><tool_call>" + LINE, False, False, LINE),
        (GOOD.replace(LINE, LINE + "<tool_call>"), False, False, LINE),
        ("<think></think>\n<tool_call>\n</tool_call>", False, False, ""),
        ("<think></think>\n<tool_call>\n\n</tool_call>", False, True, ""),
        ("<think>", False, False, None),
        ("", False, False, None),
    ],
)
def test_layout_and_block(text, has_response, right, block):
    assert glance(text, True, has_response) == (right, block)


def test_without_gold_calls_the_block_is_not_looked_for():
    assert glance(GOOD, False, False) == (False, None)
    assert glance("<think> a </think>\n<response> b </response>", False, True) == (True, None)


@pytest.mark.parametrize(
    ("block", "values"),
    [
        ("1", (1,)),
        ("1\n [2] \r\nnull", (1, [2], None)),
        ("", None),
        ("1\n\n2", None),
        ("1,", None),
        ("{", None),
        ("9" * 5_000, None),
        ("[" * 10_000, None),
        ("\ufeff1", None),
        ("\x0b1", None),
    ],
)
def test_blocks_decode_line_by_line_or_not_at_all(block, values):
    assert decode_block(block) == values
