"""The jobs of `plan`: claim, do the step that the request stands at, hand the lease back. Safe to run again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from google.api_core.exceptions import GoogleAPIError

from floyd import hours, lines
from floyd.asking import ask_by_text
from floyd.documents import JobReason, Person, Question, Status
from floyd.errors import LostGuardError, NotFoundError, VendorError
from floyd.lifecycle import Errand
from floyd.lifecycle.before_the_call import AnsweredFromFacts, JobClaimed, JobFinished, PlanFailed, Planned
from floyd.lifecycle.limits import MAX_TRIES
from floyd.phone_numbers import Refusal
from floyd.plans import Category, Plan
from functions.dialing import Target, find_target, intend_call, judge_for
from functions.look_up import look_up
from functions.outcomes import conclude
from functions.parts import Parts
from functions.plan_review import Known, Reviewed, find_number, review
from functions.prompts import PLAN_RULES, plan_content

log = logging.getLogger(__name__)


async def run_job(uid: str, rid: str, job_id: str, parts: Parts) -> str:
    """Do one job if it is still to be done. Returns a word for the log.

    Raises what the store raises when it cannot be reached: the event is then delivered again, or the sweeper hints.
    """
    job = await parts.store.job(uid, rid, job_id)
    if job is None or job.done_at is not None:
        return "done already" if job else "gone"
    try:
        claimed = await parts.store.move(uid, rid, JobClaimed(uuid4().hex, job.reason, job.attempt))
    except NotFoundError:
        return "gone"
    lease = claimed.errand.request.lease
    if claimed.ignored is not None or lease is None or not lease.owner:
        return claimed.ignored or "given up"
    step = _Step(claimed.errand, job_id, lease.epoch, parts)
    try:
        match job.reason:
            case JobReason.OUTCOME:
                word = await conclude(claimed.errand, job_id, lease.epoch, parts)
            case JobReason.APPROVAL:
                word = await step.prepare()
            case _:
                word = await step.plan()
    except LostGuardError:
        word = "overtaken"
    log.info("job done", extra={"rid": rid, "job": job_id, "status": word})
    return word


@dataclass(frozen=True, slots=True)
class _Step:
    """One claimed job about a request that has not been dialled."""

    errand: Errand
    job: str
    epoch: int
    parts: Parts

    async def plan(self) -> str:
        """Plan the request, and go as far as it goes without the person."""
        known = await self._known()
        try:
            # The first words are the same in every call for this person: their sound need not wait for the plan.
            plan, _ = await asyncio.gather(self._ask(known), self._render(*lines.disclosure(known.person.name)))
            return await self._settle(plan, known)
        except VendorError as error:
            if error.retryable and self.errand.request.tries < MAX_TRIES:
                await asyncio.sleep(self.parts.pause_s * 2**self.errand.request.tries)
            return await self._fail("Floyd could not plan this.", retryable=error.retryable)

    async def prepare(self) -> str:
        """After an approval: the sound, and the call if it is due."""
        assert self.errand.request.plan is not None
        person = await self.parts.store.person(self.errand.uid)
        await self._render(*lines.disclosure(person.name), self.errand.request.plan.opening)
        await self._move(JobFinished(self.epoch, self.job))
        await self._ring_if_due(self.errand)
        await self._render(*lines.stock(person.name))
        return "prepared"

    async def _known(self) -> Known:
        uid, rid, store = self.errand.uid, self.errand.rid, self.parts.store
        person, facts, places, questions = await asyncio.gather(
            store.person(uid), store.facts(uid, self.parts.now), store.places(uid), store.questions(uid, rid)
        )
        known = Known(person, facts, places, [question for _, question in questions])
        if self.errand.request.attempt == 1:
            return known
        calls, turns = await asyncio.gather(store.calls(uid, rid), store.turns(uid, rid))
        return replace(known, calls=calls, turns=turns)

    async def _ask(self, known: Known) -> Plan:
        """The model's plan. To bring a callee an answer the last call's plan will do, if the model fails."""
        request = self.errand.request
        try:
            content = plan_content(request, known, self.parts.now)
            plan, _ = await self.parts.model.ask("plan", PLAN_RULES, content, Plan, person=self.errand.uid)
            return plan
        except VendorError:
            if request.plan is None:
                raise
            return request.plan.model_copy(update={"opening": lines.calling_back(request.plan.opening)})

    async def _settle(self, plan: Plan, known: Known) -> str:
        request = self.errand.request
        if not plan.needs_call and request.plan is None:
            return await self._answer(plan, known)
        found = find_number(plan, request, known)
        if found is None and plan.callee.number_source == "look_up":
            found = await look_up(plan.callee.name, self.parts.settings)
        if found is not None:
            number = judge_for(known.person, found.number, self.parts.settings)
            if isinstance(number, Refusal):
                return await self._fail(number.reason, category=number.category)
            found = replace(found, number=number.e164)
        return await self._freeze(review(plan, request, known, found, self.parts.now), known.person)

    async def _answer(self, plan: Plan, known: Known) -> str:
        """No call: the fact that the plan names is shown to the person, whose own it is."""
        fact = next((fact for fact in known.facts if fact.key == plan.answer_key), None)
        if fact is None:
            words = "Floyd makes phone calls, and does not see whom to call for this."
            return await self._fail(words, category="refused_by_policy")
        text = f"{fact.key.replace('_', ' ').capitalize()}: {fact.value}"
        await self._move(AnsweredFromFacts(self.epoch, self.job, plan, text))
        return "answered"

    async def _freeze(self, reviewed: Reviewed, person: Person) -> str:
        """Write the plan down; then ask the person, or prepare the sound and ring."""
        request = self.errand.request
        frozen = (reviewed.plan, reviewed.release, reviewed.mandate, reviewed.proposed, reviewed.questions)
        planned = Planned(self.epoch, self.job, *frozen)
        if not reviewed.questions:
            target = find_target(request.model_copy(update={"plan": reviewed.plan}), person, self.parts.settings)
            if isinstance(target, Refusal):
                return await self._fail(target.reason, category=target.category)
            planned = replace(planned, not_before=self._decent(target))
            # Before it is written down, because from then on the sweeper may ring at any moment.
            await self._render(reviewed.plan.opening)
        after = await self._move(planned)
        if after is None:
            return "overtaken"
        if after.request.status is Status.WAITING:
            await self._text(reviewed.questions, person)
        elif after.request.status is Status.READY:
            await self._ring_if_due(after)
            # What code may have to say later in the call has until then.
            await self._render(*lines.stock(person.name))
        return after.request.status.value

    def _decent(self, target: Target) -> datetime | None:
        """From when the phone may ring: as the person wants, within the hours where it rings. None: now."""
        due = max(self.errand.request.not_before or self.parts.now, self.parts.now)
        for number in (target.meant, target.rung, target.meant):
            # An hour that is never decent is the dialler's to refuse.
            due = hours.next_allowed(number.e164, due) or due
        return due if due > self.parts.now else None

    async def _render(self, *texts: str) -> None:
        """Prepare the sound of these lines; without it they are synthesised in the call."""
        try:
            await self.parts.sound.prepare(texts, store=self.parts.store, now=self.parts.now)
        except GoogleAPIError as error:
            log.warning("no sound could be prepared", exc_info=error)

    async def _text(self, asked: tuple[tuple[str, Question], ...], person: Person) -> None:
        store, carrier, from_ = self.parts.store, self.parts.carrier, self.parts.settings.floyd_caller_number
        await ask_by_text(self.errand.rid, asked, number=person.number, store=store, carrier=carrier, from_=from_)

    async def _ring_if_due(self, errand: Errand) -> None:
        """Ring now rather than at the sweeper's next pass."""
        request = errand.request
        if request.not_before is None or request.not_before <= self.parts.now:
            await intend_call(errand.uid, errand.rid, request, self.parts, self.parts.now)

    async def _fail(self, words: str, *, retryable: bool = False, category: Category = "vendor_failed") -> str:
        await self._move(PlanFailed(self.epoch, self.job, words, retryable, category))
        return "failed"

    async def _move(self, event: Planned | PlanFailed | AnsweredFromFacts | JobFinished) -> Errand | None:
        """The errand after the move; None when somebody else holds the lease by now."""
        moved = await self.parts.store.move(self.errand.uid, self.errand.rid, event)
        return None if moved.ignored is not None else moved.errand
