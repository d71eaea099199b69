"""The office's tools around the calendar."""

from __future__ import annotations

from typing import Annotated, Any

from toolrl_env.tools.signature import Limits
from toolrl_env.tools.suite import read, write
from toolrl_env.tools.suites.common import read_time
from toolrl_env.tools.suites.workspace.common import (
    Clock,
    Day,
    Email,
    Emails,
    Id,
    Line,
    Office,
    Path,
    Search,
    as_list,
    clean_time,
    day_of,
    matching,
    pack,
)
from toolrl_env.tools.tool import ToolError

__all__ = ["CalendarTools"]

Minutes = Annotated[int, Limits(5, 480)]

_EVENT = (
    "SELECT id AS event_id, title, date, start, minutes, location, organiser, attendees, agenda, "
    "status FROM events WHERE id = ?"
)
_ON_DAY = (
    "SELECT id AS event_id, title, start, minutes, location FROM events "
    "WHERE date = ? AND status = 'planned' ORDER BY start, id"
)
_OPENS, _CLOSES, _STEP = 8 * 60, 18 * 60, 30


class CalendarTools(Office):
    """Meetings. A cancelled meeting stays in the calendar and cannot be revived."""

    @read
    def find_events(self, query: Search = "", organiser: Search = "") -> list[dict[str, Any]]:
        """Search the planned meetings by title, by organiser, or by both.

        Args:
            query: Words of the title that must all occur, in any case.
            organiser: E-mail address of whoever organises the meeting.
        """
        if not query.strip() and not organiser:
            raise ToolError("give words of the title in 'query', or an 'organiser', or both")
        sql = (
            "SELECT id AS event_id, title FROM events "
            "WHERE status = 'planned' AND (? = '' OR organiser = lower(?)) ORDER BY id"
        )
        return matching(self.database.all(sql, organiser, organiser), query, "title")

    @read
    def list_events(self, date: Day) -> list[dict[str, Any]]:
        """The meetings planned on one day.

        Args:
            date: The day, YYYY-MM-DD.
        """
        return self.database.all(_ON_DAY, day_of(date))

    @read
    def get_event(self, event_id: Id) -> dict[str, Any]:
        """Everything about one meeting: time, place, organiser, attendees, agenda file.

        Args:
            event_id: The meeting's number.
        """
        event = self._row("meeting", _EVENT, event_id)
        return {**event, "attendees": as_list(event["attendees"])}

    @read
    def free_slots(self, date: Day, minutes: Minutes) -> list[str]:
        """Starting times between 08:00 and 18:00 at which no meeting is planned.

        Args:
            date: The day, YYYY-MM-DD.
            minutes: How long the slot must be.
        """
        taken = [
            (read_time(row["start"]), read_time(row["start"]) + row["minutes"])
            for row in self.database.all(_ON_DAY, day_of(date))
        ]
        starts = range(_OPENS, _CLOSES - minutes + 1, _STEP)
        free = [s for s in starts if all(s >= end or s + minutes <= begin for begin, end in taken)]
        return [f"{start // 60:02}:{start % 60:02}" for start in free]

    @write
    def create_event(
        self,
        title: Line,
        date: Day,
        start: Clock,
        minutes: Minutes,
        attendees: Annotated[list[Email], Limits(0, 20)] = [],  # noqa: B006  # a schema default
        location: Search = "",
    ) -> dict[str, int]:
        """Plan a meeting that the user organises; the attendees are invited.

        Args:
            title: What it is called.
            date: The day, YYYY-MM-DD.
            start: When it starts, HH:MM.
            minutes: How long it lasts.
            attendees: E-mail addresses of the people to invite.
            location: Room or place.
        """
        day, time = self._ahead(date), clean_time(start)
        invited = pack([self._known(email) for email in attendees])
        self._room_is_free(location, day, time, minutes, 0)
        sql = (
            "INSERT INTO events (title, date, start, minutes, location, organiser, attendees, "
            "agenda, status) VALUES (?, ?, ?, ?, ?, ?, ?, '', 'planned')"
        )
        values = (title, day, time, minutes, location, self._me, invited)
        return {"event_id": self.database.change("events", sql, *values)}

    @write
    def reschedule_event(self, event_id: Id, date: Day, start: Clock) -> dict[str, Any]:
        """Move a planned meeting to another day or time.

        Args:
            event_id: The meeting's number.
            date: The new day, YYYY-MM-DD.
            start: When it starts, HH:MM.
        """
        event = self._planned(event_id)
        day, time = self._ahead(date), clean_time(start)
        self._room_is_free(event["location"], day, time, event["minutes"], event_id)
        sql = "UPDATE events SET date = ?, start = ? WHERE id = ?"
        self.database.change("events", sql, day, time, event_id)
        return {"event_id": event_id, "date": day, "start": time}

    @write
    def set_event_location(self, event_id: Id, location: Line) -> dict[str, Any]:
        """Hold a planned meeting somewhere else.

        Args:
            event_id: The meeting's number.
            location: Room or place.
        """
        event = self._planned(event_id)
        self._room_is_free(location, event["date"], event["start"], event["minutes"], event_id)
        sql = "UPDATE events SET location = ? WHERE id = ?"
        self.database.change("events", sql, location, event_id)
        return {"event_id": event_id, "location": location}

    @write
    def set_event_agenda(self, event_id: Id, path: Path) -> dict[str, Any]:
        """Make a file the agenda of a planned meeting.

        Args:
            event_id: The meeting's number.
            path: The file.
        """
        self._planned(event_id)
        agenda = self._file(path)["path"]
        self.database.change(
            "events", "UPDATE events SET agenda = ? WHERE id = ?", agenda, event_id
        )
        return {"event_id": event_id, "agenda": agenda}

    @write
    def invite_to_event(self, event_id: Id, emails: Emails) -> dict[str, Any]:
        """Invite people to a planned meeting.

        Args:
            event_id: The meeting's number.
            emails: Their e-mail addresses.
        """
        event = self._planned(event_id)
        people = as_list(event["attendees"]) + [self._known(email) for email in emails]
        return self._attendees(event_id, people)

    @write
    def remove_attendee(self, event_id: Id, email: Email) -> dict[str, Any]:
        """Take somebody off a planned meeting's list.

        Args:
            event_id: The meeting's number.
            email: The attendee's e-mail address.
        """
        people = as_list(self._planned(event_id)["attendees"])
        if email.lower() not in people:
            raise ToolError(f"{email!r} is not invited; invited are {people}")
        return self._attendees(event_id, [one for one in people if one != email.lower()])

    @write
    def cancel_event(self, event_id: Id) -> dict[str, Any]:
        """Cancel a planned meeting. This cannot be undone.

        Args:
            event_id: The meeting's number.
        """
        self._planned(event_id)
        sql = "UPDATE events SET status = 'cancelled' WHERE id = ?"
        self.database.change("events", sql, event_id)
        return {"event_id": event_id, "status": "cancelled"}

    def _planned(self, event_id: int) -> dict[str, Any]:
        event = self._row("meeting", _EVENT, event_id)
        if event["status"] != "planned":
            raise ToolError(f"meeting {event_id} is cancelled and cannot be changed any more")
        return event

    def _attendees(self, event_id: int, people: list[str]) -> dict[str, Any]:
        text = pack(people)
        sql = "UPDATE events SET attendees = ? WHERE id = ?"
        self.database.change("events", sql, text, event_id)
        return {"event_id": event_id, "attendees": as_list(text)}

    def _room_is_free(self, room: str, day: str, time: str, minutes: int, besides: int) -> None:
        begin = read_time(time)
        if begin + minutes > 24 * 60:
            raise ToolError("a meeting must end before midnight")
        for row in self.database.all(_ON_DAY, day) if room else ():
            start = read_time(row["start"])
            overlap = begin < start + row["minutes"] and start < begin + minutes
            if row["location"] == room and row["event_id"] != besides and overlap:
                raise ToolError(f"{room!r} is taken on {day} by meeting {row['event_id']}")
