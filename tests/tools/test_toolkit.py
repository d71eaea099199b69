"""Functions, suites and providers together: clashes, prefixes, whose state is whose."""

from __future__ import annotations

import functools
import pickle
from typing import Any

import pytest

from tests.tools.isolation.hostile import Hostile
from toolrl_env.core.errors import (
    ConfigurationError,
    InfrastructureError,
    SnapshotError,
    UnknownName,
)
from toolrl_env.core.types import FailureKind, ToolCall
from toolrl_env.tools import (
    CallLimits,
    OpenTools,
    ToolProvider,
    ToolSuite,
    read,
    run_calls,
    tool_from_function,
    write,
)
from toolrl_env.tools.combined import CombinedProvider
from toolrl_env.tools.isolation import IsolatedProvider
from toolrl_env.tools.local import FunctionProvider, SuiteProvider
from toolrl_env.tools.toolkit import as_provider, prefixed, toolkit

LIMITS = CallLimits(seconds=5, result_chars=40)


def shout(text: str) -> str:
    """Say it loudly.

    Args:
        text: What to say.
    """
    return text.upper()


def whisper(text: str) -> str:
    """Say it quietly.

    Args:
        text: What to say.
    """
    return text.lower()


class Shop(ToolSuite):
    """Sells one thing."""

    def __init__(self, stock: int = 3) -> None:
        self.stock = stock

    @read
    def look(self) -> int:
        """Tell the stock."""
        return self.stock

    @write
    def sell(self) -> int:
        """Sell one."""
        self.stock -= 1
        return self.stock


class Bank(ToolSuite):
    """Has a tool whose name is taken."""

    def __init__(self) -> None:
        self.money = 0

    @read
    def look(self) -> int:
        """Tell the money."""
        return self.money


def names(provider: Any) -> list[str]:
    return [spec.name for spec in provider.open(LIMITS).specs()]


def test_functions_suites_and_providers_come_together_in_order() -> None:
    kit = toolkit([Shop, shout, tool_from_function(whisper), prefixed(Bank, "bank_")])
    assert names(kit) == ["shout", "whisper", "look", "sell", "bank_look"]
    assert [part.name for part in kit.parts] == ["functions", "Shop", "Bank"]
    assert kit.name == "functions+Shop+Bank"
    assert not kit.waits
    assert isinstance(kit, ToolProvider)
    assert isinstance(pickle.loads(pickle.dumps(kit)), CombinedProvider)


@pytest.mark.parametrize(
    ("thing", "stock"),
    [(Shop, 3), (functools.partial(Shop, 7), 7), (Shop(5), 5), (SuiteProvider(Shop, "S"), 3)],
)
def test_a_suite_may_be_a_class_a_partial_an_instance_or_a_provider(thing, stock) -> None:
    provider = as_provider(thing)
    first, second = provider.open(LIMITS), provider.open(LIMITS)
    assert first.call("sell", {}) == stock - 1
    assert second.call("look", {}) == stock
    assert first.writes("sell")
    assert not first.writes("look")
    assert not first.writes("no such tool")


def test_one_tool_needs_no_list() -> None:
    assert names(toolkit(shout)) == ["shout"]
    assert names(toolkit(Shop)) == ["look", "sell"]


def test_a_call_reaches_the_part_that_has_the_tool() -> None:
    opened = toolkit([shout, prefixed(Shop, "shop_"), prefixed(Bank, "bank_")]).open(LIMITS)
    calls = [ToolCall("shop_sell", {}), ToolCall("shout", {"text": "hi"}), ToolCall("look", {})]
    sold, said, unknown = run_calls(opened, calls)
    assert (sold.value, said.value, unknown.executed) == (2, "HI", False)
    assert "bank_look" in unknown.errors[0].message
    assert [opened.writes(n) for n in ("shop_sell", "sell", "shout", "shop_look")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert opened.part("Shop").holds(lambda shop: shop.stock == 2)
    assert opened.part("functions").holds(lambda tools: tools.call("shout", {"text": "a"}) == "A")
    with pytest.raises(UnknownName, match="'Shop'"):
        opened.part("Shopp")


def test_names_that_clash_are_refused_with_both_owners() -> None:
    with pytest.raises(ConfigurationError, match=r"'Shop' and 'Bank' both have .*'look'.*prefix"):
        toolkit([Shop, Bank]).open(LIMITS)
    with pytest.raises(ConfigurationError, match="two providers are named 'Shop'"):
        toolkit([Shop, Shop(2)])
    with pytest.raises(ConfigurationError, match="two tools named 'shout'"):
        toolkit([shout, shout])
    both = toolkit([prefixed(Shop, "a_", name="a"), prefixed(Shop, "b_", name="b")])
    assert names(both) == ["a_look", "a_sell", "b_look", "b_sell"]


def test_names_that_clash_later_are_a_failure_of_the_tools_and_no_misconfiguration(monkeypatch):
    opened = toolkit([shout, Shop]).open(LIMITS)
    assert "shout" in [spec.name for spec in opened.specs()]
    clashing = FunctionProvider((tool_from_function(shout),)).open(LIMITS)
    monkeypatch.setattr(opened.part("Shop"), "specs", clashing.specs)
    with pytest.raises(InfrastructureError, match="both have a tool 'shout'") as caught:
        opened.specs()
    assert caught.value.kind is FailureKind.BAD_RESULT


@pytest.mark.parametrize("nothing", [3, None, "shout", int, dict, lambda: 3, object()])
def test_what_is_no_tool_is_refused(nothing: Any) -> None:
    with pytest.raises(ConfigurationError):
        toolkit([nothing])


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no tools"):
        toolkit([])
    with pytest.raises(UnknownName, match="Did you mean 'process'"):
        toolkit([Shop], isolation="proces")
    with pytest.raises(ConfigurationError, match="prefix is empty"):
        prefixed(Shop, "")
    with pytest.raises(ConfigurationError, match="has a name already"):
        prefixed(prefixed(Shop, "a_"), "b_", name="c")


def test_the_state_of_all_parts_is_saved_and_put_back() -> None:
    kit = toolkit([Shop, prefixed(Hostile, "h_"), shout])
    opened, other = kit.open(LIMITS), kit.open(LIMITS)
    start = opened.state_hash()
    opened.call("sell", {})
    opened.call("h_add", {"amount": 2})
    saved = pickle.loads(pickle.dumps(opened.snapshot()))
    assert opened.state_hash() != start == other.state_hash()
    other.restore(saved)
    assert other.state_hash() == opened.state_hash()
    other.call("sell", {})
    assert opened.call("look", {}) == 2
    for wrong in (None, {}, {"Shop": None}, toolkit([Shop]).open(LIMITS).snapshot()):
        with pytest.raises(SnapshotError, match="not a snapshot of"):
            opened.restore(wrong)
    with pytest.raises(ConfigurationError, match="must say which"):
        opened.holds(lambda suite: True)


def test_snapshots_of_another_kind_are_refused() -> None:
    shop, functions = Shop(), FunctionProvider((tool_from_function(shout),)).open(LIMITS)
    with pytest.raises(SnapshotError):
        as_provider(Shop).open(LIMITS).restore(as_provider(Bank).open(LIMITS).snapshot())
    with pytest.raises(SnapshotError):
        as_provider(Shop).open(LIMITS).restore("x")
    with pytest.raises(SnapshotError):
        functions.restore(shop.snapshot())
    functions.restore(functions.snapshot())


def test_a_part_that_cannot_be_opened_closes_the_others() -> None:
    closed: list[str] = []

    class Door:
        name = "door"
        waits = True

        def open(self, limits: CallLimits) -> OpenTools:
            opened = as_provider(Shop).open(limits)
            opened.close = lambda: closed.append("door")  # type: ignore[method-assign]
            return opened

    def no() -> ToolSuite:
        raise OSError("no")

    kit = toolkit([Door(), SuiteProvider(no, "broken")])
    assert kit.waits
    with pytest.raises(InfrastructureError, match="'broken' cannot be made: OSError: no"):
        kit.open(LIMITS)
    assert closed == ["door"]


def test_what_makes_no_suite_is_said() -> None:
    with pytest.raises(InfrastructureError, match="is no ToolSuite but 3"):
        SuiteProvider(lambda: 3, "three").open(LIMITS)  # type: ignore[arg-type,return-value]


def test_limits_of_a_provider_come_before_those_of_the_environment() -> None:
    own = FunctionProvider((tool_from_function(shout),), limits=CallLimits(result_chars=5))
    text = "x" * 100
    assert own.open(LIMITS).call("shout", {"text": text}).startswith('"XXXX …')
    shown = toolkit([shout]).open(LIMITS).call("shout", {"text": text})
    assert shown.startswith('"' + "X" * 39 + " …")


def test_isolation_reaches_into_prefixes_and_leaves_others_alone() -> None:
    kit = toolkit([shout, prefixed(Shop, "s_"), Bank], isolation="process", memory_mb=99)
    functions, shop, bank = kit.parts
    for part in (functions, shop.provider, bank):
        assert isinstance(part, IsolatedProvider)
        assert part.memory_mb == 99
    assert kit.waits
    opened = kit.open(LIMITS)
    assert opened.call("s_sell", {}) == 2
    assert opened.call("shout", {"text": "a"}) == "A"
    assert opened.part("Shop").call("s_look", {}) == 2
    opened.close()


def test_isolated_or_not_the_state_has_one_hash() -> None:
    opened = [toolkit([Shop, Hostile], isolation=how).open(LIMITS) for how in (None, "process")]
    for tools in opened:
        tools.call("sell", {})
        tools.call("add", {"amount": 3})
    assert len({tools.state_hash() for tools in opened}) == 1
    assert opened[0].specs() == opened[1].specs()
    opened[1].close()
