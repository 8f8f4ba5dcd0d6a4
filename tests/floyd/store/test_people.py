"""A person's own documents: facts expire, results are written once, and leaving leaves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from floyd.documents import Disclosure, Fact, Place, Request, Task
from floyd.store import Store

NOW = datetime.now(UTC)


async def test_expired_facts_are_not_used(store: Store) -> None:
    """If this fails an old address is given to a callee."""
    await store.put("users/tom/facts/address", Fact(key="address", value="new"))
    await store.put("users/tom/facts/code", Fact(key="code", value="old", expires_at=NOW - timedelta(days=1)))

    assert [fact.key for fact in await store.facts("tom", NOW)] == ["address"]
    await store.delete("users/tom/facts/address")
    assert await store.facts("tom", NOW) == []


async def test_a_result_written_twice_is_there_once(store: Store) -> None:
    """If this fails a repeated outcome job doubles tasks and the ledger."""
    for _ in range(2):
        await store.note_result(
            "tom",
            "r1",
            1,
            tasks=[Task(title="bring a note", kind="promise", request="r1", turn=4)],
            disclosures=[Disclosure(fact="child", to="+13125550142", request="r1", turn=2, at=NOW)],
            proposed=[{"kind": "proposed_fact", "key": "hours", "value": "8 to 4", "turn": 5}],
            place=Place(name="Lincoln", number="+13125550142"),
        )

    assert len(await store.below("users/tom/tasks")) == 1
    assert len(await store.below("users/tom/disclosures")) == 1
    assert len(await store.below("users/tom/requests/r1/events")) == 1
    assert [place.name for place in await store.places("tom")] == ["Lincoln"]


async def test_leaving_removes_everything_of_one_person_only(store: Store) -> None:
    """If this fails a deleted account leaves words behind, or takes somebody else's along."""
    for uid in ("tom", "ann"):
        await store.note_person(uid, {"name": uid, "number": f"+1212555010{len(uid)}"})
        await store.put(f"users/{uid}/facts/address", Fact(key="address", value="x"))
        await store.create_request(uid, "k", Request(text="ring", created_at=NOW, deadline=NOW))
    exported = await store.export("tom")

    left = await store.erase("tom")

    assert "users/tom" in exported
    assert any("/jobs/" in path for path in exported)
    assert left == 0
    assert await store.export("tom") == {}
    assert await store.export("ann") != {}


async def test_a_verified_number_finds_its_person(store: Store) -> None:
    """If this fails a text message is answered for the wrong person."""
    await store.note_person("tom", {"name": "Tom", "number": "+12125550100"})

    found = await store.person_by_number("+12125550100")

    assert found is not None
    assert found[0] == "tom"
    assert await store.person_by_number("+12125550101") is None


async def test_the_dead_are_remembered_until_nothing_is_left(store: Store) -> None:
    """If this fails a relay that writes late brings a deleted account back."""
    await store.bury("tom", NOW)

    assert await store.buried("tom")
    assert await store.tombstones(NOW + timedelta(minutes=1)) == ["tom"]
    await store.unbury("tom")
    assert not await store.buried("tom")
