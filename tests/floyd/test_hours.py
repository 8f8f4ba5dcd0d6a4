"""Quiet hours by the callee's clock, also where zones meet and clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floyd.hours import CLOSES, OPENS, is_allowed, next_allowed, zones

CHICAGO, TOLL_FREE, TWO_ZONES, UNKNOWN = "+13125550142", "+18005551212", "+17095550142", "+8816123456"
NUMBERS = (CHICAGO, TOLL_FREE, TWO_ZONES, "+18085550142", "+12085550142")


def at(text: str, zone: str = "America/Chicago") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        ("2026-11-23T07:59:59", "2026-11-23T08:00:00"),
        ("2026-11-23T08:00:00", "2026-11-23T08:00:00"),
        ("2026-11-23T20:59:59", "2026-11-23T20:59:59"),
        ("2026-11-23T21:00:00", "2026-11-24T08:00:00"),
        # Clocks go forward at 02:00 on 8 March 2026 and back at 02:00 on 1 November 2026.
        ("2026-03-07T22:00:00", "2026-03-08T08:00:00"),
        ("2026-03-08T01:59:00", "2026-03-08T08:00:00"),
        ("2026-10-31T21:30:00", "2026-11-01T08:00:00"),
        ("2026-11-01T01:30:00", "2026-11-01T08:00:00"),
    ],
)
def test_one_zone(now: str, allowed: str) -> None:
    """Fails if a phone in Chicago can ring before eight or from nine in the evening, on any day of the year."""
    assert next_allowed(CHICAGO, at(now)) == at(allowed)


def test_the_night_of_the_clock_change_is_an_hour_shorter() -> None:
    """Fails if the wait is computed on the wall clock instead of in real time."""
    evening = at("2026-03-07T22:00:00").astimezone(UTC)
    opening = next_allowed(CHICAGO, evening)
    assert opening is not None
    assert opening.astimezone(UTC) - evening == timedelta(hours=9)


def test_every_zone_of_an_area_code_counts() -> None:
    """Fails if a number that may lie in either of two zones is rung when it is night in one of them."""
    assert len(zones(TWO_ZONES)) > 1
    for zone in zones(TWO_ZONES):
        assert not is_allowed(TWO_ZONES, datetime(2026, 11, 23, 7, 59, tzinfo=zone))
        assert not is_allowed(TWO_ZONES, datetime(2026, 11, 23, 21, 0, tzinfo=zone))


def test_toll_free_numbers_keep_the_strictest_window() -> None:
    """Fails if a free number, which may ring anywhere from Newfoundland to Hawaii, has a wider or no window."""
    assert next_allowed(TOLL_FREE, at("2026-11-23T07:00:00", "America/New_York")) == at(
        "2026-11-23T08:00:00", "Pacific/Honolulu"
    )
    assert is_allowed(TOLL_FREE, at("2026-11-23T20:59:00", "America/St_Johns"))
    assert not is_allowed(TOLL_FREE, at("2026-11-23T21:00:00", "America/St_Johns"))


def test_a_number_without_a_place_is_never_rung() -> None:
    """Fails if an unknown zone counts as always day."""
    assert next_allowed(UNKNOWN, at("2026-11-23T12:00:00")) is None
    assert not is_allowed(UNKNOWN, at("2026-11-23T12:00:00"))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(NUMBERS),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
)
def test_the_next_moment_is_decent_and_the_first_such(number: str, now: datetime) -> None:
    """Fails if the promised moment is indecent somewhere, later than necessary, or more than a day away."""
    moment = next_allowed(number, now)
    assert moment is not None
    assert all(OPENS <= moment.astimezone(zone).time() < CLOSES for zone in zones(number))
    assert timedelta(0) <= moment - now <= timedelta(hours=25)
    if moment > now:
        assert not is_allowed(number, moment - timedelta(seconds=1))
