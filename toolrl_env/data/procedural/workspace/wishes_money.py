"""Wishes about orders, invoices and payments."""

from __future__ import annotations

from toolrl_env.data.procedural.workspace.goal import Match
from toolrl_env.data.procedural.workspace.wish import Maker, Slot, Wish, WishMaker, said
from toolrl_env.data.procedural.workspace.world import pick

__all__ = ["MONEY_WISHES", "ORDER_WISHES"]

ANY = Match("any")


def place_order(make: Maker) -> Wish:
    """Order something."""
    product, account = pick(make.rng, make.world.products), make.account()
    quantity, project = 2 + int(make.rng.random() * 11), make.topic()
    return Wish(
        "place_order",
        {
            "sku": product.sku,
            "quantity": quantity,
            "account_id": account,
            "project": project,
        },
        {
            "product": Slot("product", product.sku),
            "quantity": said("quantity", quantity),
            "account": Slot("account", account),
            "title": said("title", project),
        },
        (
            "order {quantity} pieces of {product} for the {title} project and charge {account}",
            "buy {quantity} pieces of {product}; pay with {account}, the project is {title}",
            "for the {title} project, use {account} to order {quantity} pieces of {product}",
        ),
        free={("orders", "project"): Match("text", project), ("transactions", "note"): ANY},
        changing=frozenset({"orders"}),
        makes="order",
    )


def cancel_order(make: Maker) -> Wish:
    """Cancel an order."""
    order = make.order()
    return Wish(
        "cancel_order",
        {"order_id": order.id},
        {"order": Slot("order", order.id)},
        ("cancel {order}", "we do not need {order} any more, so cancel it", "withdraw {order}"),
        free={("transactions", "note"): ANY},
        changes=frozenset({("order", order.id)}),
    )


def confirm_delivery(make: Maker) -> Wish:
    """Record that an order came."""
    order = make.order()
    return Wish(
        "confirm_delivery",
        {"order_id": order.id},
        {"order": Slot("order", order.id)},
        ("record that {order} has been delivered", "confirm the delivery of {order}"),
        changes=frozenset({("order", order.id)}),
    )


def recharge_order(make: Maker) -> Wish:
    """Charge an order to another project."""
    order = pick(make.rng, make.world.orders)
    project = pick(make.rng, [one.project for one in make.world.orders if one.id != order.id])
    return Wish(
        "set_order_project",
        {"order_id": order.id, "project": project},
        {"order": Slot("order", order.id), "title": said("title", project)},
        (
            "charge {order} to the {title} project instead",
            "change the project of {order} to {title}",
        ),
        free={("orders", "project"): Match("text", project)},
        changes=frozenset({("order", order.id)}),
        changing=frozenset({"orders"}),
    )


def pay_invoice(make: Maker) -> Wish:
    """Pay a bill."""
    invoice = make.choose([one for one in make.world.invoices if one.status == "open"])
    account = make.account()
    return Wish(
        "pay_invoice",
        {"invoice_id": invoice.id, "account_id": account},
        {"invoice": Slot("invoice", invoice.id), "account": Slot("account", account)},
        (
            "pay {invoice} from {account}",
            "settle {invoice} with money from {account}",
            "use {account} to pay {invoice}",
        ),
        free={("transactions", "note"): ANY},
        changes=frozenset({("invoice", invoice.id)}),
    )


def transfer(make: Maker) -> Wish:
    """Move money between accounts."""
    source, amount, topic = make.account(), make.amount(), make.topic()
    target = make.account(besides=source)
    return Wish(
        "transfer_money",
        {
            "from_account": source,
            "to_account": target,
            "amount_cents": amount,
            "note": topic,
        },
        {
            "account": Slot("account", source),
            "target": Slot("account", target),
            "amount": Slot("amount", amount),
            "title": said("title", topic),
        },
        (
            "for {title}, transfer {amount} from {account} to {target}",
            'move {amount} out of {account} and into {target}, with the note "{title}"',
        ),
        free={("transactions", "note"): ANY},
    )


def pay_person(make: Maker) -> Wish:
    """Pay somebody."""
    person, amount, account = make.person(), make.amount(), make.account()
    return Wish(
        "send_payment",
        {"email": person, "amount_cents": amount, "account_id": account},
        {
            "person": Slot("person", person),
            "amount": Slot("amount", amount),
            "account": Slot("account", account),
        },
        (
            "pay {amount} to {person} from {account}",
            "send {person} a payment: the sum is {amount}, taken from {account}",
            "reimburse {person}, who is to get {amount}; use {account}",
        ),
        free={("transactions", "note"): ANY},
    )


ORDER_WISHES: tuple[WishMaker, ...] = (
    place_order,
    cancel_order,
    confirm_delivery,
    recharge_order,
)
"""Wishes about orders."""

MONEY_WISHES: tuple[WishMaker, ...] = (pay_invoice, transfer, pay_person)
"""Wishes that need the payment code."""
