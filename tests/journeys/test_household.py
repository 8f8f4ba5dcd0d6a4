"""Two people of one household ring the same place at once, each with something of their own to tell."""

import json
from email.utils import parsedate_to_datetime
from hashlib import sha256

import pytest

from floyd.documents import Status
from tests.journeys.library import NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.trouble import Trouble

pytestmark = pytest.mark.timeout(3 * DEADLINE_S)
BOOKS = {"Ann Baker": "purple heron", "Bob Baker": "silver otter"}


def test_two_people_who_ask_at_once_are_served_one_after_the_other_and_kept_apart(town: Town, trouble: Trouble) -> None:
    """If this fails one person's words reach another person's call, documents or vendors, or a line is rung twice."""
    lines = [{"say": "what is the name of the book please"}, {"say": NOTED, "hang_up": True}]
    callee = library(town, lines=lines)
    people = {name: reader(town, callee, name) for name in BOOKS}
    for name, person in people.items():
        person.knows(book_name=BOOKS[name])
    errands = {name: person.request("Tell Oak Library that my book is lost") for name, person in people.items()}
    views = {name: errand.wait_until(finished, 2 * DEADLINE_S) for name, errand in errands.items()}

    first, second = (town.network.call(ring["call_sid"], words=False) for ring in callee.rings())
    assert parsedate_to_datetime(first["end_time"]) <= parsedate_to_datetime(second["start_time"])
    spoken = trouble.spoken()
    for name, person in people.items():
        own, other = BOOKS[name], next(book for book in BOOKS.values() if book != BOOKS[name])
        view = views[name]
        assert view.request is not None
        assert view.request.status is Status.DONE
        sid = next(call.sid for call in view.calls.values() if call.sid)
        heard = town.network.heard(sid)
        assert own in heard
        assert other not in heard
        theirs = json.dumps(person.client.call("GET", "/export"))
        assert own in theirs
        assert other not in theirs
        sent = json.dumps(trouble.sent_to_model(sha256(person.client.uid.encode()).hexdigest()[:32]))
        assert own in sent
        assert other not in sent
    assert not [text for text in spoken if all(book in text for book in BOOKS.values())]
