"""One relay process on one core, everything on, holding many calls; everything else shares the other core."""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from collections.abc import Callable
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from floyd.command.client import Client
from floyd.command.telephone import TelephoneNetwork
from tests.bench import talk, town
from tests.bench.figures import Figures, cpu_s, memory_mib, percentile

# A turn of the callee and one of ours take longer; a reply thought ahead in vain is another reply.
TURN_S = 4.0
REPLIES_A_TURN = 3
# Planning costs half a second of the other core: started faster than this, errands would wait for one another.
START_EVERY_S = 1.5
START_S = 60.0


def measure(folder: Path, *, calls: int, seconds: float) -> Figures:
    """`calls` calls at once for `seconds`, judged by the phones."""
    turns = int((seconds + calls * START_EVERY_S + START_S) / TURN_S)
    cores = sorted(os.sched_getaffinity(0))
    with town.running(folder, calls=calls) as (stack, network, numbers):
        relay = stack.running.processes["relay-1"]
        if len(cores) > 1:
            for pid in stack.running.processes.values():
                os.sched_setaffinity(pid, cores[1:])
            os.sched_setaffinity(relay, cores[:1])
            os.sched_setaffinity(0, cores[1:])
        idle = memory_mib(relay)
        town.say(stack, talk.replies(calls * turns * REPLIES_A_TURN))
        people = [town.person(stack, network, number, talk.callee(turns)) for number in numbers]
        # Followed by nobody: fifty subscriptions, a dozen threads each, would measure the Firestore library's client.
        rids = []
        for client in people:
            order = {"text": "Ask the library what they have", "idempotency_key": uuid.uuid4().hex}
            rids.append(client.call("POST", "/requests", order)["id"])
            time.sleep(START_EVERY_S)
        sids = list(until(lambda: answered(network, numbers), len(numbers)))
        before = [network.call(sid, words=False) for sid in sids]
        began, used = time.monotonic(), cpu_s(relay)
        phone_used = {name: cpu_s(pid) for name, pid in stack.running.processes.items()}
        time.sleep(seconds)
        lasted, used = time.monotonic() - began, cpu_s(relay) - used
        others = sum(cpu_s(pid) - phone_used[name] for name, pid in stack.running.processes.items()) - used
        memory = memory_mib(relay) - idle
        after = [network.call(sid, words=False) for sid in sids]
        over = {record["to"] for record in after if record["status"] != "in-progress"}
        ended = Counter(
            reason(client, rid)
            for client, rid, number in zip(people, rids, numbers, strict=True)
            if number in over or calls != len(sids)
        )
        for client, rid in zip(people, rids, strict=True):
            client.call("POST", f"/requests/{rid}/cancel", {})
            client.close()
    late = since(before, after, "line", "late_ms")
    frames = sum(other["line"]["frames"] - one["line"]["frames"] for one, other in zip(before, after, strict=True))
    gaps = [gap["gap_ms"] for gap in since(before, after, "turn_gaps")]
    return {
        "calls live to the end": (float(sum(record["status"] == "in-progress" for record in after)), float(calls)),
        **{f"calls ended: {why}": (float(count), 0.0) for why, count in ended.items()},
        "frame lateness at the phone, p99.9 ms": (percentile([*late, *[0.0] * (frames - len(late))], 0.999), 20.0),
        "gaps in Floyd's speech": (float(len(since(before, after, "line", "gaps"))), 0.0),
        "turn gap at the phone, p50 ms": (percentile(gaps, 0.5), None),
        "turn gap at the phone, p95 ms": (percentile(gaps, 0.95), None),
        "relay's core, share busy": (used / lasted, 1.0),
        "relay CPU s per call-second": (used / lasted / calls, 0.010),
        "relay memory per call, MiB": (memory / calls, 1.0),
        "everything else, cores": (others / lasted, float(max(1, len(cores) - 1))),
        "latest tick of the phones' own clock, ms": (max(record["clock_late_ms"] for record in after), None),
    }


def answered(network: TelephoneNetwork, numbers: list[str]) -> set[str]:
    """The calls to these numbers that a callee has picked up."""
    sids = {ring["call_sid"] for ring in network.rings() if ring["number"] in numbers}
    return {sid for sid in sids if "answered_ms" in network.call(sid, words=False)}


def until(found: Callable[[], set[str]], count: int) -> set[str]:
    """What is found as soon as it is `count`, or after `START_S` whatever there is."""
    deadline = time.monotonic() + START_S
    while len(done := found()) < count and time.monotonic() < deadline:
        time.sleep(1)
    return done


def reason(client: Client, rid: str) -> str:
    """Why this request's first call ended, or where it stands."""
    with client.follow(rid) as errand:
        view = errand.wait_until(lambda view: view.request is not None, START_S)
        return str(view.calls[1].end_reason if 1 in view.calls else view.request and view.request.status)


def since(before: list[dict[str, Any]], after: list[dict[str, Any]], *path: str) -> list[Any]:
    """What the lists at this place of the phones' records have gained: the start of a call is not measured."""
    pairs = zip(before, after, strict=True)
    return [item for one, other in pairs for item in reduce(getitem, path, other)[len(reduce(getitem, path, one)) :]]
