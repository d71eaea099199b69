"""Wishes about the calendar, mail, files, tasks and contacts."""

from __future__ import annotations

from toolrl_env.data.procedural.workspace.goal import Match
from toolrl_env.data.procedural.workspace.wish import Maker, Slot, Wish, WishMaker, said
from toolrl_env.data.procedural.workspace.world import pick
from toolrl_env.tools.suites.workspace.common import as_list

__all__ = ["OFFICE_WISHES"]

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
            'set up a meeting called "{title}" on {date} at {time} for {minutes} minutes and '
            "invite {person}",
            "invite {person} to a new {minutes}-minute meeting on {date}, starting at {time}, "
            'with the title "{title}"',
            'plan "{title}", a meeting of {minutes} minutes with {person}; it is to start at '
            "{time} on {date}",
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
        ("forward {mail} to {person}", "pass {mail} on to {person}", "let {person} have {mail}, forwarded"),
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


def share_file(make: Maker) -> Wish:
    """Share a file."""
    file = make.file()
    person, permission = make.person(), pick(make.rng, ("view", "comment", "edit"))
    words = {"view": "only view it", "comment": "comment on it", "edit": "edit it"}[permission]
    return Wish(
        "share_file",
        {"path": file.path, "email": person, "permission": permission},
        {
            "file": Slot("file", file.path),
            "person": Slot("person", person),
            "permission": Slot("permission", permission, words),
        },
        (
            "share {file} with {person}, who should be able to {permission}",
            "give {person} access to {file} so that they can {permission}",
        ),
        changes=frozenset({("file", file.path)}),
    )


def move_file(make: Maker) -> Wish:
    """Move a file to another folder."""
    file, folder = make.file(), pick(make.rng, ("/archive", "/public", "/old/records"))
    name = file.path.rsplit("/", 1)[1]
    return Wish(
        "move_file",
        {"path": file.path, "new_path": f"{folder}/{name}"},
        {"file": Slot("file", file.path), "folder": said("folder", folder)},
        (
            "move {file} to the folder {folder} and keep its name",
            "put {file} into {folder}, under the same name",
        ),
        changes=frozenset({("file", file.path)}),
        changing=frozenset({"files"}),
    )


def delete_file(make: Maker) -> Wish:
    """Delete a file."""
    file = make.file()
    return Wish(
        "delete_file",
        {"path": file.path},
        {"file": Slot("file", file.path)},
        ("delete {file}", "remove {file} from the file store", "erase {file} for good"),
        changes=frozenset({("file", file.path)}),
        changing=frozenset({"files"}),
    )


def note_in_file(make: Maker) -> Wish:
    """Add a line to a file."""
    file = make.file()
    line = pick(
        make.rng, ("Approved.", "On hold until further notice.", "Checked twice.", "Needs a review.")
    )
    return Wish(
        "append_to_file",
        {"path": file.path, "text": line},
        {"file": Slot("file", file.path), "title": said("title", line)},
        (
            'add the line "{title}" at the end of {file}',
            'write "{title}" on a new last line of {file}',
        ),
        free={("files", "content"): Match("extends", (file.content, line))},
        changes=frozenset({("file", file.path)}),
    )


def new_task(make: Maker) -> Wish:
    """Give somebody a new task."""
    verb = pick(make.rng, ("Proofread", "Present", "Archive", "Translate", "Estimate", "Announce"))
    title = f"{verb} the {make.topic()} report"
    person, date = make.person(), make.date()
    return Wish(
        "create_task",
        {"title": title, "assignee": person, "due": date},
        {
            "title": said("title", title),
            "person": Slot("person", person),
            "date": Slot("date", date),
        },
        (
            'create a task "{title}" for {person}, due on {date}',
            'give {person} a new task called "{title}" with {date} as the due date',
            'put "{title}" on the task list of {person}; the deadline is {date}',
        ),
        free={("tasks", "title"): Match("text", title), ("tasks", "notes"): ANY},
        changing=frozenset({"tasks"}),
        makes="task",
    )


def hand_over_task(make: Maker) -> Wish:
    """Assign a task to somebody else."""
    task = make.task()
    person = make.person(besides=(task.assignee,))
    return Wish(
        "assign_task",
        {"task_id": task.id, "assignee": person},
        {"task": Slot("task", task.id), "person": Slot("person", person)},
        (
            "assign {task} to {person}",
            "hand {task} over to {person}",
            "make {person} responsible for {task}",
        ),
        changes=frozenset({("task", task.id)}),
        changing=frozenset({"tasks"}),
    )


def postpone_task(make: Maker) -> Wish:
    """Change a task's due date."""
    task = make.task()
    date = make.date(besides=task.due)
    return Wish(
        "set_task_due",
        {"task_id": task.id, "due": date},
        {"task": Slot("task", task.id), "date": Slot("date", date)},
        (
            "change the due date of {task} to {date}",
            "set the deadline of {task} to {date}",
            "see to it that {task} is due on {date}",
        ),
        changes=frozenset({("task", task.id)}),
    )


def finish_task(make: Maker) -> Wish:
    """Mark a task as done."""
    task = make.task()
    return Wish(
        "complete_task",
        {"task_id": task.id},
        {"task": Slot("task", task.id)},
        ("mark {task} as done", "tick off {task}", "set {task} to done"),
        changes=frozenset({("task", task.id)}),
        changing=frozenset({"tasks"}),
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


OFFICE_WISHES: tuple[WishMaker, ...] = (
    plan_meeting,
    move_meeting,
    cancel_meeting,
    invite,
    change_room,
    send_file,
    tell,
    answer,
    forward,
    file_mail,
    delete_mail,
    share_file,
    move_file,
    delete_file,
    note_in_file,
    new_task,
    hand_over_task,
    postpone_task,
    finish_task,
    new_phone,
)
"""Every kind of wish that needs no money."""
