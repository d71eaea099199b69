"""What offices are full of: roles, titles, subjects, folders, things to buy."""

from __future__ import annotations

__all__ = [
    "ACCOUNTS",
    "BODIES",
    "DUTIES",
    "FOLDERS",
    "MEETINGS",
    "PAPERS",
    "ROLES",
    "ROOMS",
    "SUBJECTS",
    "THINGS",
]

ROLES = (
    "accountant",
    "analyst",
    "architect",
    "assistant",
    "buyer",
    "designer",
    "developer",
    "editor",
    "engineer",
    "lawyer",
    "librarian",
    "manager",
    "planner",
    "researcher",
    "trainer",
    "translator",
)
MEETINGS = ("review", "kick-off", "planning", "retrospective", "workshop", "handover", "briefing")
SUBJECTS = (
    "Question about {}",
    "{}: the draft",
    "News from {}",
    "{}, next steps",
    "Numbers for {}",
    "{}: please have a look",
)
BODIES = (
    "Hello, this is about {}. Please see what is attached, if anything, and come back to me.",
    "Hi, a short note on {}. We should talk soon.",
    "Dear all, {} is moving. More to follow.",
)
DUTIES = (
    "Prepare the {} budget",
    "Draft the {} contract",
    "Test the {} prototype",
    "Collect feedback on {}",
    "Write the {} summary",
    "Book rooms for {}",
)
FOLDERS = ("projects", "shared", "team", "drafts")
PAPERS = ("plan", "brief", "notes", "proposal", "checklist")
ROOMS = ("Room 1", "Room 2", "Room 5", "Library", "Online")
THINGS = (
    "desk lamp",
    "office chair",
    "whiteboard",
    "label printer",
    "monitor arm",
    "paper shredder",
    "headset",
    "filing cabinet",
    "webcam",
    "standing desk",
    "projector",
    "power strip",
)
ACCOUNTS = ("operations", "events", "equipment", "training", "travel", "projects", "savings")
