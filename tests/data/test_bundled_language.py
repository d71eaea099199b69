"""The wording: varied, distinct, and free of the slips that filled templates make."""

from __future__ import annotations

import calendar
import re
from collections import Counter
from datetime import date

import pytest

from tests.data.bundled_support import NAMES, produced, rows_of, user_texts

MONTHS = list(calendar.month_name[1:])
NUMBER_WORDS = r"\b(?:two|three|four|five|six|seven|eight|nine|ten)\b"


def said(name: str) -> list[list[str]]:
    return [user_texts(name, row) for row in rows_of(name)]


def skeleton(text: str) -> str:
    """Return ``text`` with quotations, names, codes and numbers blanked out."""
    text = re.sub(r'"[^"]*"|`[^`]*`', "_", text)
    text = re.sub(r"(?<=\s)[A-Z][\w'-]*", "_", text)
    text = re.sub(r"\S*\d\S*", "_", text)
    return re.sub(rf"{NUMBER_WORDS}|(?:_[ ,]*)+", "_", text)


@pytest.mark.parametrize("name", NAMES)
def test_no_two_rows_ask_the_same(name: str) -> None:
    asked = [" | ".join(texts) for texts in said(name)]
    ratio = len(set(asked)) / len(asked)
    assert ratio == 1.0, f"distinct requests: {ratio:.3f}"


@pytest.mark.parametrize("name", NAMES)
def test_rows_open_in_many_ways(name: str) -> None:
    openings = Counter(" ".join(texts[0].lower().split()[:3]) for texts in said(name))
    assert len(openings) > 120
    assert openings.most_common(1)[0][1] <= 0.06 * len(rows_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_no_sentence_template_dominates(name: str) -> None:
    patterns = Counter(skeleton(" | ".join(texts)) for texts in said(name))
    pattern, count = patterns.most_common(1)[0]
    assert count <= 0.03 * len(rows_of(name)), pattern
    assert len(patterns) > 0.7 * len(rows_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_many_words_are_used(name: str) -> None:
    words = {w for texts in said(name) for t in texts for w in re.findall(r"[a-z']+", t.lower())}
    assert len(words) > 700


def test_thoughts_are_nearly_all_different() -> None:
    thoughts = [row["output"].split(" </think>")[0] for row in rows_of("rlla")]
    assert len(set(thoughts)) > 0.95 * len(thoughts)
    lengths = [len(thought.split()) for thought in thoughts]
    assert max(lengths) - min(lengths) > 50


def test_thoughts_before_calls_name_only_dates_and_times_of_the_calls() -> None:
    checked = 0
    for row in rows_of("rlla"):
        thought, _, answer = row["output"].partition(" </think>")
        if "<tool_call>" in answer:
            values = re.findall(r'"(\d{4}-\d\d-\d\d|\d\d:\d\d)"(?: in|,|\.| for)', thought)
            checked += len(values)
            assert all(f'"{value}"' in answer for value in values), row["output"]
    assert checked > 30


@pytest.mark.parametrize("name", NAMES)
def test_requests_are_clean_text(name: str) -> None:
    for texts in said(name):
        for text in texts:
            assert text == text.strip()
            assert "  " not in text
            assert not re.search(r"[{}|]|=>|//", text.replace("[0-9]{2,4}", "").replace("{2}", ""))
            assert not re.search(r"[^.]\.\.(?!\.)|,,|\?\?|!\.", text)
            assert text.count('"') % 2 == 0


@pytest.mark.parametrize("name", NAMES)
def test_articles_agree_with_what_follows(name: str) -> None:
    wrong = re.compile(
        r"\b[Aa] (?:8|11\b|18\b|eight|Irish|Indian|[aeio][a-z])|\b[Aa]n (?:[b-df-gj-np-tv-z]|one\b)"
    )
    for texts in said(name):
        for text in texts:
            found = wrong.search(re.sub(r'"[^"]*"|`[^`]*`|the A ', "_", text))
            assert found is None, text


@pytest.mark.parametrize("name", NAMES)
def test_a_named_weekday_is_the_right_one(name: str) -> None:
    pattern = re.compile(r"(\w+day) (\d+) (" + "|".join(MONTHS) + r") (\d{4})")
    for texts in said(name):
        for weekday, day, month, year in pattern.findall(" ".join(texts)):
            found = date(int(year), MONTHS.index(month) + 1, int(day))
            assert found.strftime("%A") == weekday


def test_sentences_begin_with_a_capital_letter_unless_curt() -> None:
    """Small letters at the start are a manner of a few curt requests, never of the rest."""
    for name in NAMES:
        starts = [text[0] for texts in said(name) for text in texts]
        assert sum(start.islower() for start in starts) < 0.12 * len(starts)
        for texts in said(name):
            for text in texts:
                assert not re.search(rf"[a-z][.?!] {NUMBER_WORDS} \w", text), text


def test_answers_of_the_assistant_are_filled_in() -> None:
    for name in NAMES:
        for scene in produced()[name].scenes:
            for text in [scene.response, *(turn.text for turn in scene.turns)]:
                assert "{" not in text.replace("{2", ""), text
                assert "None" not in text


def test_all_tools_of_the_catalogue_are_wanted_somewhere() -> None:
    wanted = Counter(
        call.tool.name
        for name in NAMES
        for scene in produced()[name].scenes
        for call in scene.calls
    )
    offered = {
        tool.name for name in NAMES for scene in produced()[name].scenes for tool in scene.tools
    }
    assert set(wanted) == offered
    assert len(wanted) > 60
    assert max(wanted.values()) < 0.04 * sum(wanted.values())
