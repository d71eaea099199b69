from __future__ import annotations

import pytest

from agents.chat.options import ChatOptions
from toolrl_env.core.errors import ConfigurationError


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"concurrency": 0}, "concurrency=0"),
        ({"retries": -1}, "retries=-1"),
        ({"timeout": 0.0}, "timeout=0.0"),
        ({"timeout": float("inf")}, "timeout=inf"),
        ({"token_budget": -1}, "token_budget=-1"),
        ({"price_in": -1.0}, "price_in=-1.0"),
        ({"money_budget": 1.0}, "needs price_in or price_out"),
        ({"extra": "{"}, "is not JSON"),
        ({"extra": "[1]"}, "must be a JSON object"),
    ],
)
def test_options_that_cannot_work_are_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        ChatOptions(**options)


def test_extra_fields():
    assert ChatOptions(extra='{"top_p": 0.5}').extra_fields == {"top_p": 0.5}
    assert ChatOptions().extra_fields == {}
