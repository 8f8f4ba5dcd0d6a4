"""Questions by text, over the phone network's stand-in."""

from __future__ import annotations

from datetime import UTC, datetime

from floyd.asking import ask_by_text
from floyd.carrier import Carrier
from floyd.documents import Question
from floyd.store import Store
from standins.phone_network.exchange import Exchange
from standins.phone_network.server import running

ACCOUNT, TOKEN = "AC" + "3" * 32, "token"
FLOYD, TOM = "+14155550100", "+13125550111"
FIRST = Question(text="Which school?", kind="fact", deadline=datetime(2026, 11, 30, tzinfo=UTC))
SECOND = FIRST.model_copy(update={"text": "Which class?"})


async def test_one_question_or_a_numbered_list_and_nothing_after_stop(store: Store) -> None:
    """If this fails a person never notices a question, cannot tell two apart, or is texted after saying stop."""
    exchange = Exchange(ACCOUNT, TOKEN)
    async with running(exchange, "127.0.0.1", 0) as port:
        carrier = Carrier(ACCOUNT, TOKEN, api_base=f"http://127.0.0.1:{port}")

        async def ask(*asked: Question, number: str = TOM, from_: str = FLOYD) -> bool:
            named = [(f"q{index}", question) for index, question in enumerate(asked)]
            return await ask_by_text("r1", named, number=number, store=store, carrier=carrier, from_=from_)

        sent = [await ask(FIRST), await ask(FIRST, SECOND)]
        listed = (await store.callee_at(TOM)).asked
        unsent = [await ask(), await ask(FIRST, number=""), await ask(FIRST, from_="")]
        await store.set_no_texts(TOM, True)
        stopped = await ask(FIRST)
        await carrier.close()

    assert sent == [True, True]
    assert listed == ["r1/q0", "r1/q1"]
    assert unsent == [False, False, False]
    assert not stopped
