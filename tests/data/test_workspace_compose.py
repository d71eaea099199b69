"""Composing requests in offices that lack something."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from toolrl_env.data.procedural.workspace.compose import compose
from toolrl_env.data.procedural.workspace.office import make_world
from toolrl_env.data.procedural.workspace.references import Index
from toolrl_env.data.procedural.workspace.wish import Maker, Unsuited, WishMaker
from toolrl_env.data.procedural.workspace.wishes_money import MONEY_WISHES, ORDER_WISHES
from toolrl_env.data.procedural.workspace.wishes_papers import PAPER_WISHES
from toolrl_env.data.procedural.workspace.wishes_people import PEOPLE_WISHES
from toolrl_env.data.procedural.workspace.world import World

WISHES = (*PEOPLE_WISHES, *PAPER_WISHES, *ORDER_WISHES, *MONEY_WISHES)


def poor_world() -> World:
    """Return an office where every task is done, every order delivered, every bill disputed."""
    world = make_world(Random(5), "train")
    return replace(
        world,
        tasks=tuple(task._replace(status="done") for task in world.tasks),
        orders=tuple(order._replace(status="delivered") for order in world.orders),
        invoices=tuple(invoice._replace(status="disputed") for invoice in world.invoices),
    )


@pytest.mark.parametrize("draw", WISHES)
def test_a_wish_is_drawn_or_the_office_is_unsuited(draw: WishMaker) -> None:
    rng = Random(1)
    full, poor = make_world(Random(5), "train"), poor_world()
    assert draw(Maker(full, rng, {}, set())).texts
    needs = {"hand_over_task", "postpone_task", "finish_task", "cancel_order", "confirm_delivery"}
    if draw.__name__ in {*needs, "pay_invoice"}:
        with pytest.raises(Unsuited):
            draw(Maker(poor, rng, {}, set()))
    else:
        assert draw(Maker(poor, rng, {}, set())).texts


def test_an_office_that_lacks_something_still_has_requests() -> None:
    world = poor_world()
    index, rng = Index(world), Random(2)
    drawn = [compose(world, index, rng, 1 + number % 12) for number in range(600)]
    found = [composition for composition in drawn if composition is not None]
    assert len(found) >= 100
    tools = {command.wish.tool for one in found for command in one.commands}
    assert not tools & {"pay_invoice", "cancel_order", "complete_task", "assign_task"}
    assert len(tools) >= 15


def test_nothing_is_drawn_that_an_earlier_wish_takes() -> None:
    world = make_world(Random(5), "train")
    taken = {("file", file.path) for file in world.files[1:]}
    maker = Maker(world, Random(1), {}, taken)
    assert {maker.file().path for _ in range(20)} == {world.files[0].path}
    with pytest.raises(Unsuited):
        Maker(world, Random(1), {}, {*taken, ("file", world.files[0].path)}).file()
