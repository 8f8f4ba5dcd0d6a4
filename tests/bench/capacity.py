"""One relay process on one core, everything on, holding many calls; everything else shares the other core."""

from __future__ import annotations

import os
import time
from collections import Counter
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from floyd.documents import Status
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
        errands = []
        for client in people:
            errands.append(client.request("Ask the library what they have"))
            time.sleep(START_EVERY_S)
        views = [errand.wait_until(lambda view: bool(view.turns), START_S) for errand in errands]
        sids = [call.sid for view in views for call in view.calls.values() if call.sid is not None]
        before = [network.call(sid, words=False) for sid in sids]
        began, used = time.monotonic(), cpu_s(relay)
        phone_used = {name: cpu_s(pid) for name, pid in stack.running.processes.items()}
        time.sleep(seconds)
        lasted, used = time.monotonic() - began, cpu_s(relay) - used
        others = sum(cpu_s(pid) - phone_used[name] for name, pid in stack.running.processes.items()) - used
        ended = Counter(
            str(errand.view.calls[1].end_reason)
            for errand in errands
            if errand.view.request is None or errand.view.request.status is not Status.TALKING
        )
        memory = memory_mib(relay) - idle
        after = [network.call(sid, words=False) for sid in sids]
        for client, errand in zip(people, errands, strict=True):
            client.call("POST", f"/requests/{errand.rid}/cancel", {})
            errand.close()
    late = since(before, after, "line", "late_ms")
    frames = sum(other["line"]["frames"] - one["line"]["frames"] for one, other in zip(before, after, strict=True))
    gaps = [gap["gap_ms"] for gap in since(before, after, "turn_gaps")]
    return {
        "calls live to the end": (float(calls - ended.total()), float(calls)),
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


def since(before: list[dict[str, Any]], after: list[dict[str, Any]], *path: str) -> list[Any]:
    """What the lists at this place of the phones' records have gained: the start of a call is not measured."""
    pairs = zip(before, after, strict=True)
    return [item for one, other in pairs for item in reduce(getitem, path, other)[len(reduce(getitem, path, one)) :]]
