"""The life of a request as one pure function: what an event does to it, and nothing else.

Laws, kept for any order and any number of copies of events:

- every accepted event raises `rev` by one, so a guard on the request's document serialises everything about it;
- within one attempt the status only rises, but for the person's edit before a call; whatever begins again after that
  is the next attempt, with its own call document;
- a final status is left only by the person's retry, and `unconfirmed` also on the carrier's evidence;
- every other status has a deadline that the sweeper acts on;
- after a confirmed cancel no claim to dial succeeds.
"""

from __future__ import annotations

from datetime import datetime

from floyd.lifecycle.errand import Decision, Errand, Event

__all__ = ["Decision", "Errand", "Event", "decide"]


def decide(errand: Errand, event: Event, now: datetime) -> Decision:
    """What `event` does at `now`. Total: any event in any state gives a decision, an impossible one is ignored."""
    return event.decide(errand, now)
