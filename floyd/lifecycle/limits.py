"""How long a request may stand where it stands, and how often a thing is tried."""

from datetime import timedelta

LEASE = timedelta(seconds=60)
# A lost trigger is noticed after this long; the sweeper runs every minute.
HINT = timedelta(seconds=60)
MAX_HINTS = MAX_TRIES = 3
# A question older than a week is about something else by now.
WAITING_LIMIT = timedelta(days=7)
# An intent to ring that is older than this would surprise everybody.
DIAL_WINDOW = timedelta(minutes=10)
# The carrier's default ring limit (60 s) and time for its callbacks (90 s).
RING_LIMIT = timedelta(seconds=150)
# A call that the carrier's list still lacks so long after the order's answer was lost was never placed.
ABSENT_AFTER = timedelta(seconds=5)
# The longest call a relay may hold (60 min) and time to wrap up.
TALK_LIMIT = timedelta(minutes=65)
# Between the carrier's "completed" and the relay's own account of the call.
RELAY_GRACE = timedelta(seconds=20)
# Without any evidence from the carrier a call counts as lost this long after its deadline.
EVIDENCE_LIMIT = timedelta(minutes=15)
# No answer or busy: the second call 5 minutes after the first, the third 20 minutes after the second.
REDIAL_AFTER = (timedelta(minutes=5), timedelta(minutes=20))
MAX_HOPS = 5
