from __future__ import annotations

import decimal
import importlib
import json
import pickle
from typing import Any

import pytest

from tests.fresh_process import in_fresh_processes
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.tools.suites.bfcl import World

FILES = {
    "GorillaFileSystem": {
        "root": {
            "home": {
                "type": "directory",
                "contents": {
                    "notes.txt": {"type": "file", "content": "one\ntwo"},
                    "box": {"type": "directory", "contents": {}},
                },
            }
        }
    }
}
CLASSES = ("GorillaFileSystem", "MathAPI", "TicketAPI", "TravelAPI")


@pytest.fixture
def world() -> World:
    return World.load(CLASSES, FILES, long=False)


# ---------------------------------------------------------------- calls and their results


def test_results_are_worded_as_the_official_executor_words_them(world: World) -> None:
    listing = world.call("ls", {})
    assert listing.text == '{"current_directory_content": ["notes.txt", "box"]}'
    assert listing.value == json.loads(listing.text)
    assert listing.error is None
    nothing = world.call("touch", {"file_name": "new"})
    assert (nothing.text, nothing.value) == ("None", None)
    precise = world.call("logarithm", {"value": 8, "base": 2, "precision": 5})
    assert precise.text == precise.value == "{'result': mpf('3.0')}"


def test_an_error_of_the_api_is_a_result(world: World) -> None:
    outcome = world.call("cat", {"file_name": "nope"})
    assert outcome.value == {"error": outcome.error}
    assert outcome.error == "cat: 'nope': No such file or directory"


def test_an_exception_of_the_api_is_a_result_too(world: World) -> None:
    outcome = world.call("power", {"base": 10.0, "exponent": 400})
    assert outcome.error is not None
    assert outcome.error.startswith("Error during execution: ")
    assert outcome.text == outcome.value == outcome.error
    missing = world.call("cat", {})
    assert "missing 1 required positional argument" in missing.text


def test_infinity_is_no_json_and_stays_text(world: World) -> None:
    outcome = world.call("divide", {"a": 1.0, "b": 5e-324})
    assert outcome.text == outcome.value == '{"result": Infinity}'


@pytest.mark.parametrize(
    "method", ["__init__", "__class__", "_load_scenario", "_random", "root", "nope", "post_tweet"]
)
def test_only_documented_methods_of_the_classes_involved_can_be_called(
    world: World, method: str
) -> None:
    with pytest.raises(InfrastructureError, match="no documented method"):
        world.call(method, {})


def test_text_is_never_evaluated_nor_formatted(world: World) -> None:
    for text in ("__import__('os').getcwd()", "{0.__class__}", "%s%n", "f'{1+1}'", "${HOME}"):
        assert world.call("echo", {"content": text}).value == {"terminal_output": text}


def test_arguments_and_results_share_nothing_with_the_state(world: World) -> None:
    arguments = {"ticket_id": 1, "updates": {"title": "new", "status": ["open"]}}
    world.call("ticket_login", {"username": "u", "password": "p"})
    created = world.call("create_ticket", {"title": "t"})
    arguments["ticket_id"] = created.value["id"]
    world.call("edit_ticket", arguments)
    before = world.canonical()
    arguments["updates"]["status"].append("changed")  # type: ignore[index]
    shown = world.call("get_ticket", {"ticket_id": created.value["id"]})
    shown.value["status"].append("changed")
    assert world.canonical() == before


# ---------------------------------------------------------------- what leaves the instances


def test_precision_of_the_process_is_put_back(world: World) -> None:
    mpmath = importlib.import_module("mpmath")
    before = (mpmath.mp.prec, decimal.getcontext().prec)
    world.call("logarithm", {"value": 2, "base": 10, "precision": 77})
    world.call("square_root", {"number": 2, "precision": 66})
    world.call("logarithm", {"value": "no number", "base": 10, "precision": 55})
    assert (mpmath.mp.prec, decimal.getcontext().prec) == before


def test_long_context_states_do_not_alias_the_library() -> None:
    source = "bfcl_eval.eval_checker.multi_turn_eval.func_source_code.long_context"
    shared = importlib.import_module(source).CREDIT_CARD_EXTENSION
    before = pickle.dumps(shared)
    one, two = (World.load(["TravelAPI"], {}, long=True) for _ in range(2))
    cards = one.instance("TravelAPI").credit_card_list
    assert set(shared) <= set(cards)
    for card in cards.values():
        card["balance"] = -1
    assert pickle.dumps(shared) == before
    assert all(c["balance"] != -1 for c in two.instance("TravelAPI").credit_card_list.values())


def test_the_scenario_is_left_as_it_is() -> None:
    config = json.loads(json.dumps(FILES))
    world = World.load(CLASSES, config, long=True)
    world.call("rm", {"file_name": "notes.txt"})
    assert config == FILES


def test_messages_that_print_a_set_are_the_same_in_every_process() -> None:
    code = """
from toolrl_env.tools.suites.bfcl import World
cards = {"1": {"balance": 5.0}}
travel = {"access_token": "t", "token_expires_in": 9, "credit_card_list": cards}
world = World.load(["TravelAPI", "TicketAPI"], {"TravelAPI": travel}, long=False)
flight = dict(access_token="t", card_id="1", travel_date="2024-01-01", travel_from="SFO",
              travel_to="LAX", travel_class="cargo")
print(world.call("book_flight", flight).text)
world.call("ticket_login", {"username": "u", "password": "p"})
number = world.call("create_ticket", {"title": "t"}).value["id"]
updates = dict.fromkeys("zyxwvu", 1)
print(world.call("edit_ticket", {"ticket_id": number, "updates": updates}).text)
"""
    (text,) = in_fresh_processes(code, seeds=("1", "3"))
    assert "{'business', 'economy', 'first'}" in text
    assert "u, v, w, x, y, z" in text


# ---------------------------------------------------------------- state


def test_saving_and_loading(world: World) -> None:
    start = world.save()
    hash_at_start = world.canonical()
    world.call("cd", {"folder": "box"})
    world.call("touch", {"file_name": "deep"})
    moved = World(world.save())
    assert moved.canonical() == world.canonical() != hash_at_start
    assert moved.call("pwd", {}).value == {"current_working_directory": "/home/box"}
    assert World(start).canonical() == hash_at_start


def test_a_saved_state_is_not_touched_by_what_follows(world: World) -> None:
    saved = world.save()
    copy = dict(saved)
    world.call("touch", {"file_name": "later"})
    world.save()
    assert saved == copy
    assert "later" not in World(saved).call("ls", {}).text


def test_a_clean_class_is_not_pickled_again(world: World) -> None:
    before = world.save()
    world.call("ls", {})
    after = world.save()
    assert after["TravelAPI"] is before["TravelAPI"]


def test_sixty_four_forks_never_see_each_other(world: World) -> None:
    world.call("touch", {"file_name": "common"})
    saved = world.save()
    forks = [World(saved) for _ in range(64)]
    for n, fork in enumerate(forks):
        fork.call("mkdir", {"dir_name": f"d{n}"})
    for n, fork in enumerate(forks):
        names = fork.call("ls", {}).value["current_directory_content"]
        assert names == ["notes.txt", "box", "common", f"d{n}"]


def test_the_random_generator_is_part_of_the_state(world: World) -> None:
    login: dict[str, Any] = dict.fromkeys(
        ("client_id", "client_secret", "refresh_token", "user_first_name", "user_last_name"), "x"
    )
    saved = world.save()
    tokens = {World(saved).call("authenticate_travel", {**login, "grant_type": "read"}).text}
    tokens.add(world.call("authenticate_travel", {**login, "grant_type": "read"}).text)
    assert len(tokens) == 1
    assert world.call("authenticate_travel", {**login, "grant_type": "read"}).text not in tokens


def test_agreement_is_over_public_attributes(world: World) -> None:
    other = World(world.save())
    assert world.agrees_with(other)
    other.call("cd", {"folder": "box"})
    assert world.agrees_with(other)  # the working directory is private
    assert world.canonical() != other.canonical()
    other.call("touch", {"file_name": "f"})
    assert not world.agrees_with(other)
    world.call("cd", {"folder": "box"})
    world.call("touch", {"file_name": "f"})
    assert world.agrees_with(other)
    assert world.canonical() == other.canonical()
