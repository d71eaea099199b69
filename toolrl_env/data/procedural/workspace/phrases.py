"""The sentences around a request: how people ask, add, answer, and what a good assistant says."""

from __future__ import annotations

__all__ = [
    "ACCESS",
    "ANSWERS",
    "CODE_LATER",
    "CODE_NOW",
    "DONE",
    "FOLLOW_UPS",
    "FRAMES",
    "JOINERS",
    "LEADS_TO",
    "LOOK_AT",
    "QUESTIONS",
    "SAME",
    "THOUGHTS",
    "VAGUE",
]

FRAMES = (
    "{}",
    "{}",
    "{}",
    "Hello! {}",
    "Good morning. {} Thank you.",
    "I need your help with something. {}",
    "{} Thanks in advance!",
    "Hi there, I am in a meeting and cannot do this myself. {}",
    "Before I forget it: {}",
    "{} That would be a great help.",
    "Something for you. {}",
    "I am on the train with a bad connection. {} Cheers",
)
"""Around a first request; no names and no numbers in them."""

JOINERS: tuple[tuple[str, ...], ...] = (
    ("", "Then ", "After that, ", "Finally, "),
    ("First, ", "next, ", "then ", "last of all, "),
    ("", "Also, ", "Besides, ", "And "),
    ("", "Please also ", "In addition, ", "One more thing: "),
)
"""Before each of up to four commands."""

LOOK_AT = (
    "Look up {}.",
    "Start with {}.",
    "This begins with {}.",
    "You will have to find {} first.",
)
"""Introduces a thing half-way, so that a request does not nest too deeply."""

LEADS_TO = ("Then find {}.", "That leads to {}.", "From there, look up {}.")
"""Introduces the next thing on the way."""

SAME = {
    "person": ("the same person", "that same person"),
    "date": ("the same day", "that same day"),
    "amount": ("the same amount", "that same amount"),
    "account": ("the same account", "that same account"),
}
"""Says that something is what an earlier command named."""

VAGUE = {
    "person": ("a colleague of mine", "somebody from my contacts", "someone I have in mind"),
    "date": ("a day that I have in mind", "a certain day"),
    "time": ("a certain time", "a time that suits me"),
    "amount": ("a certain amount", "a sum that I will tell you"),
    "account": ("one of our accounts", "an account of my choice"),
    "quantity": ("several", "a certain number of"),
    "event": ("one of the meetings", "a certain meeting"),
    "mail": ("one of my mails", "a certain mail"),
    "file": ("one of our files", "a certain file"),
    "task": ("one of the tasks", "a certain task"),
    "order": ("one of our orders", "a certain order"),
    "invoice": ("one of the invoices", "a certain invoice"),
}
"""Stands in a request for something that must be asked for."""

QUESTIONS = {
    "person": ("Which person do you mean?", "Who exactly is it?", "Could you give me the name?"),
    "date": ("Which day do you have in mind?", "What date should I use?", "For when exactly?"),
    "time": ("At what time?", "What time suits you?"),
    "amount": ("How much should it be?", "What amount do you mean?"),
    "account": ("Which account should I use?", "From which account?"),
    "quantity": ("How many pieces do you need?", "What quantity should I order?"),
    "event": ("Which meeting is it about?", "Could you tell me which meeting you mean?"),
    "mail": ("Which mail do you mean?", "What is the subject of the mail?"),
    "file": ("Which file is it?", "Could you tell me the name of the file?"),
    "task": ("Which task do you mean?", "What is the task called?"),
    "order": ("Which order do you mean?", "Which order is this about?"),
    "invoice": ("Which invoice is it?", "Whose invoice do you mean?"),
    "code": ("What is your payment code?", "Please tell me your payment code."),
}
"""How a good assistant asks."""

ANSWERS = ("{}.", "I mean {}.", "It is {}.", "Oh, sorry: {}.", "{}, please.")
"""How the user answers."""

CODE_NOW = ("My payment code is {}.", "The code for payments is {}.", "You may use my code, {}.")
CODE_LATER = ("You will need my payment code for this.", "I know the code for payments.")

FOLLOW_UPS = (
    "Thanks. There is something else: {}",
    "Good. Now the next thing. {}",
    "All right. While you are at it: {}",
    "Great, and here is another request. {}",
)
"""Begins what a user wants after the first answer."""

ACCESS = {
    "desk": "",
    "contacts": "You can use my address book now.",
    "calendar": "You have access to my calendar now.",
    "mail": "My mailbox is open to you now.",
    "files": "I have given you access to the files.",
    "tasks": "You can use the task list from now on.",
    "orders": "The order desk is open to you now.",
    "money": "You can see the accounts now.",
}
"""Announces tools that were not there before, by field."""

DONE = (
    "Done: everything you asked for has been taken care of.",
    "That is done.",
    "All set, it is finished.",
    "I have done what you asked for.",
)
"""How a good assistant reports."""

THOUGHTS = (
    "I look up what the request refers to before I change anything.",
    "Some of what I need has to be found first.",
    "I know what to do and can start.",
)
"""A first thought of a good assistant."""
