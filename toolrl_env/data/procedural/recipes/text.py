"""Requests for the text tools."""

from __future__ import annotations

from random import Random

from toolrl_env.data.procedural.recipe import Recipe
from toolrl_env.data.procedural.samplers import phrase, word

__all__ = ["RECIPES"]


def _text_and_letter(rng: Random, level: int) -> dict[str, str]:
    text = phrase(rng, level)
    return {"text": text, "letter": rng.choice(text.replace(" ", ""))}


RECIPES = (
    Recipe(
        tool="count_words",
        goal="count words",
        sample=lambda r, level: {"text": phrase(r, level + 2)},
        direct=(
            "How many words are in {text}?",
            "Count the words of {text}.",
        ),
        story=("A headline may have only so many words. How many does {text} have?",),
        noun=("the number of words in {text}",),
        gives="whole",
        ask={"text": ("the text", "How many words does my essay have?")},
        chained={"text": ("text", "count its words")},
    ),
    Recipe(
        tool="count_letter",
        goal="count a letter",
        sample=_text_and_letter,
        direct=(
            "How often does the letter {letter} occur in {text}?",
            "Count the letter {letter} in {text}.",
        ),
        story=(
            (
                "I am painting {text} on a sign and buy stencils one by one. How many of the "
                "letter {letter} do I need?"
            ),
        ),
        noun=("how often the letter {letter} occurs in {text}",),
        gives="whole",
        says={"letter": "plain"},
        ask={"letter": ("the letter", "How often does my favourite letter occur in {text}?")},
        chained={"text": ("text", "count how often the letter {letter} is in that")},
    ),
    Recipe(
        tool="reverse_text",
        goal="turn a text backwards",
        sample=lambda r, level: {"text": phrase(r, level)},
        direct=(
            "Reverse {text}.",
            "Write {text} backwards.",
            "What is {text} spelled backwards?",
        ),
        story=(
            "For a secret message I want {text} with its letters from last to first.",
            "If I hold {text} up to a mirror and read the letters in reverse order, what do I get?",
        ),
        noun=("{text} backwards",),
        gives="text",
        ask={"text": ("the text", "Spell my name backwards.")},
        chained={"text": ("text", "write that backwards", "reverse the result")},
    ),
    Recipe(
        tool="change_case",
        goal="change the case of a text",
        sample=lambda r, level: {
            "text": phrase(r, level),
            "style": r.choice(("upper", "lower", "title", "snake")),
        },
        direct=(
            "Write {text} in {style} case.",
            "Put {text} into {style} case.",
        ),
        story=(
            "Our style guide asks for {style} case. How must {text} look?",
            "The column is called {text}, but the form only takes {style} case. Rewrite it.",
        ),
        noun=("{text} in {style} case",),
        gives="text",
        says={"style": "plain"},
        ask={
            "style": ("the case you want", "Rewrite {text} in the other case, please."),
            "text": ("the text", "Put my title into {style} case."),
        },
        chained={"text": ("text", "put that into {style} case")},
    ),
    Recipe(
        tool="caesar_cipher",
        goal="shift letters along the alphabet",
        sample=lambda r, level: {"text": phrase(r, level), "shift": r.randint(1, 25)},
        direct=(
            "Shift the letters of {text} by {shift} places.",
            "Encrypt {text} with a Caesar cipher of shift {shift}.",
        ),
        story=(
            (
                "My friend and I move every letter {shift} along the alphabet before we write. "
                "What do I send her for {text}?"
            ),
        ),
        noun=("{text} with its letters shifted by {shift}",),
        gives="text",
        ask={
            "shift": ("the shift", "Encrypt {text} with our usual Caesar cipher."),
            "text": ("the text", "Encrypt my note with a Caesar cipher of shift {shift}."),
        },
        chained={"text": ("text", "shift its letters by {shift} places")},
    ),
    Recipe(
        tool="checksum",
        goal="make a checksum",
        sample=lambda r, level: {"text": phrase(r, level)},
        direct=(
            "What is the CRC-32 checksum of {text}?",
            "Give me a checksum of {text}.",
        ),
        story=("I stored {text} and want to know later if it changed. Make me a checksum of it.",),
        noun=("the checksum of {text}",),
        gives="text",
        ask={"text": ("the text", "Make a checksum of my password hint.")},
        chained={"text": ("text", "make a checksum of that", "give me the CRC-32 of the result")},
    ),
    Recipe(
        tool="luhn_check",
        goal="run the Luhn check",
        sample=lambda r, level: {
            "digits": "".join(str(r.randrange(10)) for _ in range(6 + 2 * level))
        },
        direct=(
            "Does {digits} pass the Luhn check?",
            "Run the Luhn check on {digits}.",
        ),
        story=("A customer typed {digits} as the card number. Does it pass the Luhn check?",),
        says={"digits": "plain"},
        ask={"digits": ("the number", "Does my card number pass the Luhn check?")},
    ),
    Recipe(
        tool="morse_code",
        goal="write Morse code",
        sample=lambda r, level: {"text": word(r) if level < 2 else phrase(r, level - 1)},
        direct=(
            "Write {text} in Morse code.",
            "What is {text} in Morse code?",
        ),
        story=("The lamp on my boat can only blink. How do I blink {text} in Morse code?",),
        noun=("{text} in Morse code",),
        ask={"text": ("the text", "Put my message into Morse code.")},
        chained={"text": ("text", "write that in Morse code")},
    ),
    Recipe(
        tool="spell_out",
        goal="spell in the NATO alphabet",
        sample=lambda r, level: {"word": word(r) if level < 2 else word(r) + word(r)},
        direct=(
            "Spell {word} in the NATO alphabet.",
            "How is {word} spelled with NATO code words?",
        ),
        story=("On the phone nobody gets the name {word}. Spell it the way pilots do.",),
        noun=("{word} in the NATO alphabet",),
        ask={"word": ("the word", "Spell my surname in the NATO alphabet.")},
        chained={"word": ("text", "spell that in the NATO alphabet")},
    ),
)
"""Requests, in the order of the tools."""
