"""Taking a request: what is text, who asks too often, and that asking twice is asking once."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floyd.errors import ConflictError, InvalidInputError, NotAdmittedError, TooManyError
from floyd.identity import Identity
from floyd.intake import LONGEST_KEY, LONGEST_TEXT, Intake, checked_text
from floyd.settings import Settings
from floyd.store import Store

TOM = Identity("tom", name="Tom Baker", number="+13125550188")


@pytest.fixture
def intake(store: Store) -> Intake:
    return Intake(store, Settings(floyd_env="local"))


@given(st.text())
def test_what_is_taken_can_be_stored_and_sent(text: str) -> None:
    """If this fails junk from a client crashes whatever stores it, or something else than its words is kept."""
    try:
        taken = checked_text(text)
    except InvalidInputError:
        assert not text.strip() or len(text.strip()) > LONGEST_TEXT or "\0" in text or not text.isprintable()
        return
    assert taken == text.strip()
    assert len(taken.encode()) <= 4 * LONGEST_TEXT


@pytest.mark.parametrize("text", ["", "   ", "a\0b", "\ud800", "x" * (LONGEST_TEXT + 1)])
def test_no_text_is_refused(text: str) -> None:
    """If this fails an empty or broken request is planned."""
    with pytest.raises(InvalidInputError):
        checked_text(text)


async def test_asking_again_with_the_same_key_is_asking_once(intake: Intake, store: Store) -> None:
    """If this fails a client that retries a lost answer has two phones rung."""
    taken = await asyncio.gather(*(intake.take(TOM, "ring the school", "key") for _ in range(10)))
    assert len({each.rid for each in taken}) == 1
    assert sum(each.new for each in taken) == 1
    with pytest.raises(ConflictError):
        await intake.take(TOM, "ring the dentist", "key")
    for key in ("", "k" * (LONGEST_KEY + 1)):
        with pytest.raises(InvalidInputError):
            await intake.take(TOM, "ring the school", key)


async def test_who_asks_too_often_is_told_to_wait(intake: Intake, store: Store) -> None:
    """If this fails one person's script slows everybody down, or a limit of zero is no limit."""
    await store.note_person("tom", {"limits": {"requests_per_minute": 2}})
    for key in "ab":
        await intake.take(TOM, "ring the school", key)
    for key in "cd":  # The second time without asking the store.
        with pytest.raises(TooManyError) as caught:
            await intake.take(TOM, "ring the school", key)
        assert caught.value.retry_after_s is not None
        assert 0 < caught.value.retry_after_s <= 60
    assert (await intake.take(Identity("ann"), "ring the school", "a")).new


async def test_the_verified_number_is_kept_and_the_name_only_if_there_is_none(intake: Intake, store: Store) -> None:
    """If this fails texts go to an old number, or a name that the person chose is overwritten at every request."""
    await store.note_person("tom", {"name": "Thomas", "number": "+13125550100"})
    await intake.take(TOM, "ring the school", "a")
    person = await store.person("tom")
    assert (person.name, person.number) == ("Thomas", "+13125550188")


async def test_nothing_is_taken_from_who_is_leaving(intake: Intake, store: Store) -> None:
    """If this fails data comes back after an account was removed."""
    made = await intake.take(TOM, "ring the school", "a")
    await store.bury("tom", made.request.created_at)
    for key in "ab":
        with pytest.raises(NotAdmittedError):
            await intake.take(TOM, "ring the school", key)
