"""Wishes about files and tasks."""

from __future__ import annotations

from toolrl_env.data.procedural.workspace.goal import Match
from toolrl_env.data.procedural.workspace.wish import Maker, Slot, Wish, WishMaker, said
from toolrl_env.data.procedural.workspace.world import pick

__all__ = ["PAPER_WISHES"]

ANY = Match("any")


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
        make.rng,
        ("Approved.", "On hold until further notice.", "Checked twice.", "Needs a review."),
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


PAPER_WISHES: tuple[WishMaker, ...] = (
    share_file,
    move_file,
    delete_file,
    note_in_file,
    new_task,
    hand_over_task,
    postpone_task,
    finish_task,
)
"""Wishes about files and tasks."""
