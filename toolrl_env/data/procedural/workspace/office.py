"""Making a random office: who is there, what is planned, who wrote what, what things cost."""

from __future__ import annotations

import datetime
from random import Random

from toolrl_env.data.procedural.workspace import things
from toolrl_env.data.procedural.workspace.names import names_of
from toolrl_env.data.procedural.workspace.rows import (
    Account,
    Contact,
    Event,
    File,
    Invoice,
    Mail,
    Order,
    Product,
    TaskRow,
    Transaction,
)
from toolrl_env.data.procedural.workspace.world import FileFacts, World, pick, some
from toolrl_env.tools.suites.workspace.common import pack
from toolrl_env.tools.suites.workspace.ledger import euros

__all__ = ["DOMAIN", "make_world"]

DOMAIN = "office.example"
_EPOCH = datetime.date(2027, 1, 4).toordinal()


def make_world(rng: Random, split: str) -> World:
    """Return an office whose names belong to ``split`` (``train``, ``validation``, ``test``)."""
    return _Builder(rng, split).build()


class _Builder:
    def __init__(self, rng: Random, split: str) -> None:
        self.rng = rng
        self.names = names_of(split)
        self.topics = rng.sample(self.names.topics, 16)
        self.today = _EPOCH + int(rng.random() * 300)
        (first, last), *others = rng.sample(self.names.people, 13)
        self.user = (f"{first} {last}", _address(first, last))
        self.contacts = self._contacts(others)
        self.people = [contact.email for contact in self.contacts]

    def build(self) -> World:
        rng = self.rng
        files, facts = self._files()
        paths = [file.path for file in files]
        accounts = tuple(
            Account(number, f"{name} account")
            for number, name in zip(self._ids(4), some(rng, things.ACCOUNTS, 4), strict=True)
        )
        products, invoices = self._products(), self._invoices()
        return World(
            today=self._day(0),
            time=f"{8 + int(rng.random() * 10):02}:{int(rng.random() * 60):02}",
            user=self.user,
            code=f"{int(rng.random() * 900_000) + 100_000}",
            contacts=self.contacts,
            events=self._events(paths),
            mails=self._mails(paths),
            files=files,
            tasks=self._tasks(paths),
            products=products,
            orders=self._orders(products, accounts, invoices),
            accounts=accounts,
            transactions=tuple(
                Transaction(number, account.id, self._day(-30), 2_000_000 + 500 * k, "bank", "")
                for k, (number, account) in enumerate(zip(self._ids(4), accounts, strict=True))
            ),
            invoices=invoices,
            facts=facts,
        )

    # ------------------------------------------------------------------ small draws

    def _day(self, offset: int) -> str:
        return datetime.date.fromordinal(self.today + offset).isoformat()

    def _later(self) -> str:
        return self._day(2 + int(self.rng.random() * 58))

    def _person(self) -> str:
        return pick(self.rng, self.people)

    def _ids(self, count: int) -> list[int]:
        """Return increasing numbers with gaps, so that none can be guessed from another."""
        number = 100 + int(self.rng.random() * 800)
        ids: list[int] = []
        for _ in range(count):
            number += 1 + int(self.rng.random() * 6)
            ids.append(number)
        return ids

    def _some_topics(self, count: int) -> list[str]:
        return some(self.rng, self.topics, count)

    # ------------------------------------------------------------------ tables

    def _contacts(self, people: list[tuple[str, str]]) -> tuple[Contact, ...]:
        rng, firms = self.rng, self.rng.sample(self.names.firms, 3)
        return tuple(
            Contact(
                number,
                f"{first} {last}",
                _address(first, last),
                f"+44 20 {int(rng.random() * 9000) + 1000} {int(rng.random() * 9000) + 1000}",
                firms[int(rng.random() * 3)] if rng.random() < 0.3 else "Office",
                pick(rng, things.ROLES),
            )
            for number, (first, last) in zip(self._ids(len(people)), people, strict=True)
        )

    def _files(self) -> tuple[tuple[File, ...], dict[str, FileFacts]]:
        rng = self.rng
        files: list[File] = []
        facts: dict[str, FileFacts] = {}
        for topic in self._some_topics(11):
            slug = topic.lower().replace(" ", "-")
            path = f"/{pick(rng, things.FOLDERS)}/{slug}-{pick(rng, things.PAPERS)}.txt"
            fact = FileFacts(self._later(), 5_000 + 50 * int(rng.random() * 4_000))
            lines = (
                f"Project: {topic}",
                f"Deadline: {fact.deadline}",
                f"Budget: {euros(fact.budget)}",
                "Status: in progress",
            )
            modified = self._day(-1 - int(rng.random() * 60))
            files.append(File(path, self._person(), modified, "\n".join(lines), "{}"))
            facts[path] = fact
        return tuple(files), facts

    def _events(self, paths: list[str]) -> tuple[Event, ...]:
        rng = self.rng
        agendas = some(rng, paths, 5) + [""] * 4
        return tuple(
            Event(
                number,
                f"{topic} {pick(rng, things.MEETINGS)}",
                self._later(),
                f"{9 + int(rng.random() * 8):02}:{pick(rng, ('00', '15', '30'))}",
                pick(rng, (30, 45, 60, 90)),
                pick(rng, things.ROOMS),
                self._person(),
                pack(some(rng, self.people, 2)),
                agenda,
                "planned",
            )
            for number, topic, agenda in zip(
                self._ids(9), self._some_topics(9), agendas, strict=True
            )
        )

    def _mails(self, paths: list[str]) -> tuple[Mail, ...]:
        rng = self.rng
        attached = [[path] for path in some(rng, paths, 6)] + [some(rng, paths, 2)] + [[]] * 4
        to_me = pack([self.user[1]])
        return tuple(
            Mail(
                number,
                "inbox" if rng.random() < 0.8 else "archive",
                self._person(),
                to_me,
                pick(rng, things.SUBJECTS).format(topic),
                pick(rng, things.BODIES).format(topic),
                pack(files),
                self._day(-1 - int(rng.random() * 30)),
                None,
                None,
                int(rng.random() < 0.5),
            )
            for number, topic, files in zip(
                self._ids(11), self._some_topics(11), attached, strict=True
            )
        )

    def _tasks(self, paths: list[str]) -> tuple[TaskRow, ...]:
        rng = self.rng
        linked = some(rng, paths, 5) + [""] * 5
        return tuple(
            TaskRow(
                number,
                pick(rng, things.DUTIES).format(topic),
                self._person(),
                self._later(),
                pick(rng, ("low", "normal", "high")),
                "open" if rng.random() < 0.85 else "done",
                file,
                "",
            )
            for number, topic, file in zip(
                self._ids(10), self._some_topics(10), linked, strict=True
            )
        )

    def _products(self) -> tuple[Product, ...]:
        rng = self.rng
        goods, firms = some(rng, things.THINGS, 7), rng.sample(self.names.firms, 3)
        return tuple(
            Product(
                f"{thing[:2].upper()}-{number}",
                thing,
                500 + 25 * int(rng.random() * 600),
                20 + int(rng.random() * 100),
                pick(rng, firms),
            )
            for number, thing in zip(self._ids(7), goods, strict=True)
        )

    def _invoices(self) -> tuple[Invoice, ...]:
        rng = self.rng
        return tuple(
            Invoice(
                number,
                firm,
                self._person(),
                4_000 + 10 * int(rng.random() * 20_000),
                self._later(),
                "open" if rng.random() < 0.8 else "disputed",
                None,
            )
            for number, firm in zip(self._ids(7), rng.sample(self.names.firms, 7), strict=True)
        )

    def _orders(
        self,
        products: tuple[Product, ...],
        accounts: tuple[Account, ...],
        invoices: tuple[Invoice, ...],
    ) -> tuple[Order, ...]:
        rng = self.rng
        bills = [invoice.id for invoice in some(rng, invoices, 4)] + [None] * 3
        return tuple(
            Order(
                number,
                topic,
                pick(rng, products).sku,
                1 + int(rng.random() * 6),
                self._person(),
                pick(rng, accounts).id,
                self._day(-1 - int(rng.random() * 10)),
                self._later(),
                "placed" if rng.random() < 0.85 else "delivered",
                bill,
            )
            for number, topic, bill in zip(self._ids(7), self._some_topics(7), bills, strict=True)
        )


def _address(first: str, last: str) -> str:
    return f"{first}.{last}@{DOMAIN}".lower()
