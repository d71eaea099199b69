"""Requests for the tools about dates and times."""

from __future__ import annotations

from toolrl_env.data.procedural.recipe import Recipe
from toolrl_env.data.procedural.samplers import date, time_of_day

__all__ = ["RECIPES"]

_HOURS = (-8, -5, -3, 0, 1, 2, 3, 4, 8, 9, 10)
_HALVES = (-9.5, -3.5, 3.5, 4.5, 5.5, 5.75, 9.5)

RECIPES = (
    Recipe(
        tool="days_between",
        goal="count the days between two dates",
        sample=lambda r, _: dict(zip(("start", "end"), sorted((date(r), date(r))), strict=True)),
        direct=(
            "How many days are there from {start} to {end}?",
            "Count the days between {start} and {end}.",
        ),
        story=(
            "We met on {start} and married on {end}. How many days did that take us?",
            "The bridge was begun on {start} and opened on {end}. For how many days was it built?",
        ),
        noun=("the number of days from {start} to {end}",),
        gives="whole",
        says={"start": "date", "end": "date"},
        ask={
            "end": ("the end date", "My lease began on {start}. How many days will it run?"),
            "start": ("the start date", "The course ends on {end}. How many days does it take?"),
        },
    ),
    Recipe(
        tool="add_days",
        goal="find a later date",
        sample=lambda r, level: {"date": date(r), "days": r.randint(3, 60 * level)},
        direct=(
            "Which date is {days} days after {date}?",
            "What is the date {days} days later than {date}?",
        ),
        story=(
            "The library lent me a book on {date} for {days} days. By which date is it due?",
            "The paint went on at {date} and needs {days} days to cure. When is it done?",
        ),
        noun=("the date {days} days after {date}",),
        gives="date",
        says={"date": "date"},
        ask={
            "days": ("the number of days", "My parcel left on {date}. On which date will it come?"),
            "date": ("the starting date", "Which date is {days} days after the delivery?"),
        },
        chained={"date": ("date", "go on {days} more days from there")},
    ),
    Recipe(
        tool="weekday",
        goal="find the day of the week",
        sample=lambda r, _: {"date": date(r)},
        direct=(
            "What day of the week is {date}?",
            "Which weekday falls on {date}?",
        ),
        story=(
            "My grandmother was born on {date}. On which day of the week was that?",
            "I have to be in court on {date}. Which weekday is it?",
        ),
        noun=("the weekday of {date}",),
        gives="text",
        says={"date": "date"},
        ask={"date": ("the date", "On which day of the week is my appointment?")},
        chained={"date": ("date", "tell me which weekday that is", "name its day of the week")},
    ),
    Recipe(
        tool="is_leap_year",
        goal="check for a leap year",
        sample=lambda r, _: {"year": r.randint(1000, 3000)},
        direct=("Is {year} a leap year?", "Tell me whether {year} is a leap year."),
        story=("Does the calendar of {year} have a 29 February in it?",),
        says={"year": "plain"},
        ask={"year": ("the year", "Was the year I was born in a leap year?")},
    ),
    Recipe(
        tool="add_minutes",
        goal="find a later time",
        sample=lambda r, level: {
            "time": time_of_day(r, level),
            "minutes": r.randint(5, 80 * level),
        },
        direct=(
            "What time is it {minutes} minutes after {time}?",
            "Add {minutes} minutes to {time}.",
        ),
        story=(
            "The film starts at {time} and runs {minutes} minutes. When does it end?",
            "The dough went in at {time} and bakes for {minutes} minutes. When do I take it out?",
        ),
        noun=("the time {minutes} minutes after {time}",),
        gives="time",
        says={"time": "time"},
        ask={
            "minutes": ("how many minutes it takes", "I leave at {time}. When do I get there?"),
            "time": ("the starting time", "The concert lasts {minutes} minutes. When is it over?"),
        },
        chained={"time": ("time", "add another {minutes} minutes")},
    ),
    Recipe(
        tool="convert_time",
        goal="move a time between UTC offsets",
        sample=lambda r, level: dict(
            zip(
                ("from_offset", "to_offset"),
                r.sample(_HOURS if level < 3 else _HOURS + _HALVES, 2),
                strict=True,
            ),
            time=time_of_day(r, level),
        ),
        direct=(
            "It is {time} at {from_offset}. What time is it at {to_offset}?",
            "Convert {time} from {from_offset} to {to_offset}.",
        ),
        story=(
            (
                "The call is at {time} over there, which is {from_offset}. I live at {to_offset}; "
                "when do I pick up?"
            ),
        ),
        noun=("the local time at {to_offset} when it is {time} at {from_offset}",),
        gives="time",
        says={"time": "time", "from_offset": "offset", "to_offset": "offset"},
        ask={
            "to_offset": (
                "the UTC offset you want",
                "It is {time} at {from_offset}. What time is it where my sister lives?",
            ),
        },
        level=2,
    ),
)
"""Requests, in the order of the tools."""
