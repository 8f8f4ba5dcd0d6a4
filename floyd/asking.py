"""Asking the person by text. The app shows every open question anyway; a text is how they notice."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from floyd import texting
from floyd.carrier import Carrier
from floyd.documents import Question
from floyd.errors import VendorError
from floyd.store import Store

log = logging.getLogger(__name__)


async def ask_by_text(
    rid: str, asked: Sequence[tuple[str, Question]], *, number: str, store: Store, carrier: Carrier, from_: str
) -> bool:
    """Text these open questions of one request to the person's verified number; False when they cannot be texted.

    Empty numbers and people who replied STOP are never texted.

    A text that fails is not sent again: Twilio may have sent it, and the question is open in the app.
    """
    if not asked or not number or not from_:
        return False
    if (await store.callee_at(number)).no_texts:
        return False
    questions = [question for _, question in asked]
    if len(asked) > 1:
        await store.note_asked(number, [f"{rid}/{name}" for name, _ in asked])
    body = texting.question(questions[0]) if len(asked) == 1 else texting.numbered(questions)
    try:
        return await carrier.send_text(to=number, from_=from_, body=body)
    except VendorError as error:
        log.warning("a question could not be texted", extra={"rid": rid, "code": error.code})
        return False
