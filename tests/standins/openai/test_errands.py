"""Errands that the mind was not written for: each ends definite and honest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from standins.openai.mind.reading import names, numerals
from tests.standins.openai.conftest import StandIn
from tests.standins.openai.conversation import PERSON, Call, Callee, converse, fact

OWN_PHRASES = "AI Hello This Goodbye Could Thank Yes No You It The"


@dataclass
class Errand:
    request: str
    category: str
    rules: list[tuple[str, str]]
    otherwise: list[str] = field(default_factory=list)
    facts: Sequence[dict[str, str]] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    places: Sequence[dict[str, str]] = ()
    says: tuple[str, ...] = ()
    """Patterns that must be in what was said."""
    never: tuple[str, ...] = ()
    """Patterns that must not be."""


ERRANDS = {
    "dentist": Errand(
        "please move my dentist appointment to Wednesday after 2 pm",
        "done",
        [
            (r"move", "sure can i have your name and date of birth please"),
            (r"1979", "thank you we have wednesday at ten or wednesday at four fifteen"),
            (r"4:15", "great you are now booked for wednesday at four fifteen"),
        ],
        ["okay goodbye"],
        [
            fact("dentist_number", "phone_number", "+13125550160"),
            fact("dentist_name", "place", "Harbor Dental"),
            fact("date_of_birth", "person", "May 4, 1979"),
        ],
        says=(r"wednesday at 4:15 is fine",),
        never=(r"\bten\b|10",),
    ),
    "pharmacy": Errand(
        "refill my prescription at the pharmacy",
        "done",
        [
            (r"refill", "what is the prescription number"),
            (r"77120", "and the date of birth"),
            (r"1979", "okay that will be ready tomorrow after three p m"),
        ],
        ["you're welcome bye"],
        [
            fact("pharmacy_phone", "phone_number", "+13125550161"),
            fact("prescription_number", "medical", "77120"),
            fact("date_of_birth", "person", "May 4, 1979"),
            fact("card_number", "payment", share="never"),
        ],
    ),
    "restaurant": Errand(
        "book a table for six at Osteria Fara on Friday at 8 pm",
        "done",
        [
            (r"table", "for how many people"),
            (r"6|six", "we have nothing at eight but we could do friday at nine thirty does that work"),
            (r"9:30 is fine", "lovely what name is it under"),
            (r"Nora", "perfect your table is booked see you friday"),
        ],
        ["one moment please"],
        places=[{"name": "Osteria Fara", "number": "+13125550162", "notes": "Italian restaurant"}],
        answers={"9:30": "yes, that's fine"},
        says=(r"check",),
    ),
    "plumber": Errand(
        "get a quote from the plumber for a dripping kitchen tap",
        "done",
        [
            (r"quote", "what kind of tap is it"),
            (r"mixer", "that would be about ninety five dollars plus parts shall i book you in for tomorrow"),
            (r"only wanted", "no problem call us any time bye"),
        ],
        facts=[fact("plumber_number", "phone_number", "+13125550163")],
        answers={"what kind of tap": "a single lever mixer"},
        never=(r"is fine, please",),
    ),
    "library": Errand(
        "what time does the library close on Saturday?",
        "done",
        [(r"library", "good morning city library how can i help you")],
        ["on saturday we close at five thirty"],
        facts=[fact("library_phone", "phone_number", "+13125550164")],
    ),
    "umbrella": Errand(
        "ask the Hotel Meridian if they found my umbrella",
        "done",
        [
            (r"umbrella", "what color is the umbrella"),
            (r"green", "and what room were you in"),
            (r"sorry", "okay let me check"),
            (r"time", "yes we found it you can pick it up at the front desk"),
        ],
        facts=[fact("umbrella_color", "belongings", "dark green")],
        places=[{"name": "Hotel Meridian", "number": "+13125550165", "notes": ""}],
        answers={"room": "I don't know"},
        never=(r"\broom \d+",),
    ),
    "gym": Errand(
        "cancel my gym membership",
        "done",
        [
            (r"cancel", "okay may i ask why you are leaving"),
            (r"moving", "would you like to add a free month instead"),
            (r"no, thank", "alright what is your membership number"),
            (r"4471", "done your membership is cancelled and your confirmation number is eight eight one three"),
        ],
        facts=[
            fact("gym_number", "phone_number", "+13125550166"),
            fact("membership_number", "account", "GX 4471"),
        ],
        answers={"why": "I am moving away"},
    ),
    "tyres": Errand(
        "ask the garage how much four winter tyres cost",
        "done",
        [
            (r"tyres", "for which car"),
            (r"corolla", "four winter tyres are six hundred and forty dollars fitted"),
        ],
        facts=[
            fact("garage_number", "phone_number", "+13125550167"),
            fact("car_model", "car", "2018 Toyota Corolla"),
        ],
        never=(r"640 dollars is fine",),
    ),
    "pizza": Errand(
        "order a large mushroom pizza from Bella Napoli, no more than 25 dollars",
        "done",
        [
            (r"mushroom", "okay that's thirty one dollars delivered"),
            (r"less expensive", "a medium one would be twenty two dollars"),
            (r"22 dollars is fine", "what's the address"),
            (r"Birch", "your order is placed it will be there in forty minutes"),
        ],
        places=[{"name": "Bella Napoli", "number": "+13125550168", "notes": "pizza"}],
        facts=[fact("home_address", "address", "31 Birch Lane")],
        answers={"31 dollars": "no, at most 25"},
        says=(r"31 Birch Lane",),
        never=(r"31 dollars is fine",),
    ),
    "vet": Errand(
        "call the vet and ask whether Biscuit may eat before his operation",
        "done",
        [
            (r"Biscuit", "who is calling please"),
            (r"Nora", "and biscuit is a dog or a cat"),
            (r"dog", "nothing to eat after eight in the evening water is fine"),
        ],
        facts=[fact("vet_number", "phone_number", "+13125550169")],
        answers={"dog or a cat": "a dog"},
    ),
    "landlord": Errand(
        "tell my landlord that the heating has been broken since Monday",
        "done",
        [
            (r"heating", "which apartment is this"),
            (r"4B", "okay i'll send someone tomorrow morning"),
        ],
        facts=[fact("landlord_number", "phone_number", "+13125550171")],
        answers={"apartment": "apartment 4B"},
    ),
    "electrician": Errand(
        "call the electrician and ask for a price to install a ceiling fan",
        "done",
        [],
        ["this is dave", "i charge ninety an hour so probably around two hundred dollars total"],
        facts=[fact("electrician_number", "phone_number", "+13125550172")],
        never=(r"200 dollars is fine",),
    ),
    "bakery": Errand(
        "ask the bakery if they have gluten free bread today",
        "done",
        [],
        ["bakery how can i help", "yes we do it's six dollars a loaf"],
        facts=[fact("bakery_number", "phone_number", "+13125550173")],
    ),
    "newspaper": Errand(
        "tell the newspaper to stop my subscription",
        "declined_by_callee",
        [(r"55102", "sorry we can't do that over the phone you need to use our website")],
        ["can i have the account number"],
        facts=[
            fact("newspaper_number", "phone_number", "+13125550174"),
            fact("newspaper_account", "account", "55102"),
        ],
    ),
    "coach": Errand(
        "tell the swim coach that Ida can't come to practice tomorrow",
        "done",
        [],
        ["yes", "oh no is she ill", "okay thanks for telling me"],
        facts=[fact("coach_number", "phone_number", "+13125550175")],
        answers={"ill": "I'd rather not say"},
    ),
    "refused": Errand(
        "book a haircut for tomorrow morning",
        "declined_by_callee",
        [],
        ["unfortunately we are fully booked tomorrow", "no sorry we don't have anything this week"],
        places=[{"name": "Salon Kim", "number": "+13125550170", "notes": "haircut"}],
    ),
}


def invented(call: Call, errand: Errand) -> list[str]:
    """Numbers and names in what was said that nobody had said or sent before."""
    sent = [errand.request, PERSON, *errand.answers.values(), *(each.get("value", "") for each in errand.facts)]
    sent += [call.plan["opening"], *(place["name"] for place in errand.places)]
    heard = [turn["text"] for turn in call.turns if turn["speaker"] == "callee"]
    known = numerals(" ".join([*sent, *heard])).lower()
    said = " ".join(call.replies).replace("one moment", "")
    numbers = [number for number in re.findall(r"\d+", numerals(said)) if number not in re.findall(r"\d+", known)]
    spelt = " ".join([*sent, *heard, OWN_PHRASES]).lower()
    return numbers + [name for name in names(said) if any(word.lower() not in spelt for word in name.split())]


@pytest.mark.parametrize("name", ERRANDS)
async def test_unknown_errand_ends_definite_and_honest(standin: StandIn, name: str) -> None:
    """Breaks: the mind only manages the errands it was written with, or says things it was never told."""
    errand = ERRANDS[name]
    call = await converse(
        standin.openai,
        errand.request,
        Callee(list(errand.rules), list(errand.otherwise)),
        errand.facts,
        answers=errand.answers,
        places=list(errand.places),
    )
    story = "\n".join(f"{turn['speaker']}: {turn['text']}" for turn in call.turns)
    said = " ".join(call.replies)
    assert call.reason, story
    assert not invented(call, errand), story
    assert call.outcome["category"] == errand.category, f"{story}\n{call.outcome}"
    for pattern in errand.says:
        assert re.search(pattern, said, re.I), story
    for pattern in errand.never:
        assert not re.search(pattern, said, re.I), story
    cited(call)


def cited(call: Call) -> None:
    """Every claim quotes callee turns that hold it."""
    spoken: dict[int, dict[str, Any]] = {turn["n"]: turn for turn in call.turns}
    for claim in call.outcome["claims"]:
        assert claim["turns"]
        for number in claim["turns"]:
            assert spoken[number]["speaker"] == "callee"
            assert spoken[number]["text"] in claim["text"]
