"""Wishes about the calendar, the contacts and mail."""

from __future__ import annotations

from toolrl_env.data.procedural.workspace.goal import Match
from toolrl_env.data.procedural.workspace.wish import Maker, Slot, Wish, WishMaker, said
from toolrl_env.data.procedural.workspace.world import pick
from toolrl_env.tools.suites.workspace.common import as_list

__all__ = ["PEOPLE_WISHES", "tell_number"]

ANY = Match("any")


def plan_meeting(make: Maker) -> Wish:
    """Set up a new meeting."""
    kind = pick(make.rng, ("sync", "catch-up", "status call", "interview", "demo", "debrief"))
    title, date, time, person = f"{make.topic()} {kind}", make.date(), make.time(), make.person()
    minutes = pick(make.rng, (20, 25, 40, 50, 75))
    return Wish(
        "create_event",
        {
            "title": title,
            "date": date,
            "start": time.value,
            "minutes": minutes,
            "attendees": [person],
        },
        {
            "title": said("title", title),
            "date": Slot("date", date),
            "time": time,
            "minutes": said("minutes", minutes),
            "person": Slot("person", person),
        },
        (
            'set up "{title}" on {date} at {time} for {minutes} minutes and invite {person}',
            'invite {person} to a new {minutes}-minute meeting, "{title}", on {date} at {time}',
            'plan "{title}" with {person}: {minutes} minutes, from {time} on {date}',
        ),
        free={("events", "title"): Match("text", title), ("events", "location"): ANY},
        changing=frozenset({"events"}),
        makes="meeting",
    )


def move_meeting(make: Maker) -> Wish:
    """Move a meeting to another day and time."""
    event = make.event()
    date, time = make.date(besides=event.date), make.time()
    return Wish(
        "reschedule_event",
        {"event_id": event.id, "date": date, "start": time.value},
        {"event": Slot("event", event.id), "date": Slot("date", date), "time": time},
        (
            "move {event} to {date} at {time}",
            "reschedule {event}: the new day is {date}, and it starts at {time}",
            "put {event} on {date}, {time}",
        ),
        changes=frozenset({("event", event.id)}),
        changing=frozenset({"events"}),
    )


def cancel_meeting(make: Maker) -> Wish:
    """Call a meeting off."""
    event = make.event()
    return Wish(
        "cancel_event",
        {"event_id": event.id},
        {"event": Slot("event", event.id)},
        (
            "cancel {event}",
            "call off {event}",
            "take {event} off the calendar, it is cancelled",
        ),
        changes=frozenset({("event", event.id)}),
        changing=frozenset({"events"}),
    )


def invite(make: Maker) -> Wish:
    """Invite somebody to an existing meeting."""
    event = make.event()
    person = make.person(besides=as_list(event.attendees))
    return Wish(
        "invite_to_event",
        {"event_id": event.id, "emails": [person]},
        {"event": Slot("event", event.id), "person": Slot("person", person)},
        (
            "invite {person} to {event}",
            "add {person} to the attendees of {event}",
            "make sure that {person} is invited to {event}",
        ),
        changes=frozenset({("event", event.id)}),
    )


def change_room(make: Maker) -> Wish:
    """Hold a meeting somewhere else."""
    event = make.event()
    rooms = ("Room 3", "Room 4", "Room 7", "Auditorium", "Cafeteria", "Roof terrace")
    room = pick(make.rng, rooms)
    return Wish(
        "set_event_location",
        {"event_id": event.id, "location": room},
        {"event": Slot("event", event.id), "room": said("room", room)},
        ("move {event} to this place: {room}", "change the location of {event} to {room}"),
        free={("events", "location"): Match("text", room)},
        changes=frozenset({("event", event.id)}),
    )


def new_phone(make: Maker) -> Wish:
    """Change somebody's phone number."""
    contact = pick(make.rng, make.world.contacts)
    phone = f"+44 20 {int(make.rng.random() * 9000) + 1000} {int(make.rng.random() * 9000) + 1000}"
    return Wish(
        "update_contact",
        {"contact_id": contact.id, "field": "phone", "value": phone},
        {"contact": Slot("contact", contact.id), "phone": said("phone", phone)},
        (
            "change the phone number in {contact} to {phone}",
            "correct {contact}: the phone number is now {phone}",
        ),
        free={("contacts", "phone"): Match("text", phone)},
        changes=frozenset({("contact", contact.id)}),
    )


def send_file(make: Maker) -> Wish:
    """Mail a file to somebody."""
    file, person = make.file(), make.person()
    return Wish(
        "send_mail",
        {
            "to": [person],
            "subject": "A file for you",
            "body": "Please find the file attached.",
            "attachments": [file.path],
        },
        {"file": Slot("file", file.path), "person": Slot("person", person)},
        (
            "mail {file} to {person} as an attachment",
            "send {person} a mail with {file} attached",
            "send {file} by mail to {person}, attached and not pasted",
        ),
        free={("mails", "subject"): ANY, ("mails", "body"): ANY},
    )


def tell(make: Maker) -> Wish:
    """Write somebody a day or an amount that must be looked up."""
    person, fact = make.person(), _fact(make)
    body = f"For your information: {_plainly(fact)}."
    return Wish(
        "send_mail",
        {"to": [person], "subject": "For your information", "body": body},
        {"person": Slot("person", person), "fact": fact},
        (
            "write a mail to {person} that says {fact}",
            "let {person} know {fact} by mail",
            "mail {person} and tell them {fact}",
        ),
        free={
            ("mails", "subject"): ANY,
            ("mails", "attachments"): ANY,
            ("mails", "body"): _mentions(fact),
        },
    )


def answer(make: Maker) -> Wish:
    """Answer a mail with a day or an amount."""
    mail, fact = make.mail(), _fact(make)
    return Wish(
        "reply_to_mail",
        {"mail_id": mail.id, "body": f"Hello, here is what you need: {_plainly(fact)}."},
        {"mail": Slot("mail", mail.id), "fact": fact},
        (
            "reply to {mail} and state {fact}",
            "answer {mail} with {fact}",
            "write an answer to {mail} that mentions {fact}",
        ),
        free={
            ("mails", "body"): _mentions(fact),
            ("mails", "subject"): ANY,
        },
        changes=frozenset({("mail", mail.id)}),
    )


def forward(make: Maker) -> Wish:
    """Forward a mail."""
    mail = make.mail()
    person = make.person(besides=(mail.sender,))
    return Wish(
        "forward_mail",
        {"mail_id": mail.id, "to": [person]},
        {"mail": Slot("mail", mail.id), "person": Slot("person", person)},
        (
            "forward {mail} to {person}",
            "pass {mail} on to {person}",
            "let {person} have {mail}, forwarded",
        ),
        free={("mails", "body"): ANY, ("mails", "subject"): ANY},
    )


def file_mail(make: Maker) -> Wish:
    """Put a mail into a folder."""
    mail = make.mail()
    folder = pick(make.rng, ("projects", "later"))
    return Wish(
        "move_mail",
        {"mail_id": mail.id, "folder": folder},
        {"mail": Slot("mail", mail.id), "folder": said("folder", folder)},
        ('move {mail} to the folder "{folder}"', 'file {mail} under "{folder}"'),
        changes=frozenset({("mail", mail.id)}),
    )


def delete_mail(make: Maker) -> Wish:
    """Delete a mail."""
    mail = make.mail()
    return Wish(
        "delete_mail",
        {"mail_id": mail.id},
        {"mail": Slot("mail", mail.id)},
        ("delete {mail}", "get rid of {mail} for good", "erase {mail}"),
        changes=frozenset({("mail", mail.id)}),
        changing=frozenset({"mails"}),
    )


def tell_number(make: Maker, made: str, number: int) -> Wish:
    """Mail somebody the number of what the wish before this one makes."""
    person = make.person()
    thing = f"the number of the new {made}"
    return Wish(
        "send_mail",
        {"to": [person], "subject": f"New {made}", "body": f"The {made} has the number {number}."},
        {"person": Slot("person", person), "fact": Slot("number", number, thing)},
        (
            "mail {fact} to {person}",
            "write to {person} and tell them {fact}",
            "let {person} know {fact} by mail",
        ),
        free={
            ("mails", "subject"): ANY,
            ("mails", "attachments"): ANY,
            ("mails", "body"): Match("number", number),
        },
        uses_number=True,
    )


def _fact(make: Maker) -> Slot:
    kind = pick(make.rng, ("date", "amount"))
    return Slot(kind, make.date() if kind == "date" else make.amount())


def _mentions(fact: Slot) -> Match:
    return Match("date" if fact.kind == "date" else "amount", fact.value)


def _plainly(fact: Slot) -> str:
    return str(fact.value) if fact.kind == "date" else f"{fact.value / 100:.2f} EUR"


PEOPLE_WISHES: tuple[WishMaker, ...] = (
    plan_meeting,
    move_meeting,
    cancel_meeting,
    invite,
    change_room,
    new_phone,
    send_file,
    tell,
    answer,
    forward,
    file_mail,
    delete_mail,
)
"""Wishes about meetings, contacts and mail."""
