"""The number gate: nothing but ordinary, valid, allowed numbers passes, however the number is written."""

import itertools
import random
import re
from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floyd.phone_numbers import Number, Refusal, judge, may_ring
from floyd.settings import Settings

REGIONS = ("US", "CA")
ALLOWED = ["+13125550142", "+14165550123", "+18005551212", "+12125551212"]
E164 = re.compile(r"\+1[2-9]\d{9}")


def gate(raw: str) -> Number | Refusal:
    return judge(raw, regions=REGIONS, own_numbers=("+13125550199",))


@pytest.mark.parametrize(
    "raw",
    [
        "+13125550142",
        "(312) 555-0142",
        "312.555.0142",
        "1 312 555 0142",
        "+1 (312) 555\u20110142",
        "\u202a+1 312 555 0142\u202c",
        "\uff13\uff11\uff12\uff15\uff15\uff15\uff10\uff11\uff14\uff12",
        "\u0663\u0661\u0662\u0665\u0665\u0665\u0660\u0661\u0664\u0662",
        "\u00a0312\u00a0555\u00a00142",
    ],
)
def test_one_number_in_every_spelling(raw: str) -> None:
    """Fails if a common way to write a number is refused, or digits of another script reach the dialler as they are."""
    assert gate(raw) == Number("+13125550142", "US", "fixed_or_mobile")


RULES = {
    "emergency": [
        *("911", "112", "999", "000", "988", "110", "119", "211", "311", "411", "511", "611", "711", "811"),
        *("+1911", "1911", "1-911", "9-1-1", "+1 988", "011 911", "0911", "00112", "+44999", "+1112", "9115550100"),
        *("\uff19\uff11\uff11", "\u0669\u0661\u0661", " 9 1 1 ", "(911)", "9.1.1", "+1 (911)"),
    ],
    "premium": ["+19005551234", "1-900-555-1234", "9765551234", "+1 976 555 1234", "212-976-1234", "+16005551234"],
    "global_network": ["+8816123456", "+870773111632", "+883510012345678", "+88213300655", "+97912345678"],
    "not_a_number": ["0", "+0"],
    "short_code": ["888", "12345", "+1 46645", "123456"],
    "region": ["+442071838750", "+12425021234", "+17872345678", "+16713444444", "+4930123456", "+18764123456"],
    "kind": ["+15005550006"],
    "own_number": ["+13125550199", "(312) 555-0199"],
    "not_valid": ["+1312555014", "+131255501422", "2115551234", "+13129111234", "555-0142"],
    "not_digits": [
        *("", "+", "++13125550142", "3125550142,,1234#", "3125550142;ext=5", "312-555-0142 x5", "*67 3125550142"),
        *("w3125550142", "1-800-FLOWERS", "sip:911@example.com", "tel:+13125550142", "312555O142", "3125550142\x00"),
        *("+1312+5550142", "312555014\u0301\u0032", "one two three", "3125550142" * 5, "#31#3125550142"),
    ],
}


@pytest.mark.parametrize(("rule", "raw"), [(rule, raw) for rule, numbers in RULES.items() for raw in numbers])
def test_refused_by_its_rule(rule: str, raw: str) -> None:
    """Fails if a dangerous or senseless number passes, or is refused with the wrong words."""
    verdict = gate(raw)
    assert isinstance(verdict, Refusal), verdict
    assert verdict.rule == rule
    assert verdict.reason.endswith(".")


def corpus(count: int) -> list[str]:
    """Emergency, premium, foreign and broken numbers in every disguise that people and attackers use."""
    random_ = random.Random(71)
    cores = [*itertools.chain.from_iterable(RULES.values()), *ALLOWED]
    cores += [
        f"+{code}{random_.randrange(10**8, 10**10)}" for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE if code != 1
    ]
    prefixes = ["", "+", "+1", "1", "011", "00", "*67", "*82,", "tel:", "sip:", " ", "0", "\u200e", "(", "9,"]
    suffixes = ["", "#", ",,1234#", ";ext=12", " x9", "w1", "@example.com", "\n", "\u200f", "0", "00", "p911", "&911"]
    disguises: list[Callable[[str], str]] = [
        str,
        "-".join,
        "\u200b".join,
        lambda text: text.translate(
            str.maketrans("0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19")
        ),
        lambda text: text.replace("0", "O").replace("1", "l"),
    ]
    return [
        random_.choice(disguises)(
            random_.choice(prefixes) + random_.choice(random_.choice([cores, ALLOWED])) + random_.choice(suffixes)
        )
        for _ in range(count)
    ]


def test_two_thousand_disguises() -> None:
    """Fails if any of 2,000 disguised numbers passes as something that is not a valid number of an allowed region."""
    passed = [verdict for verdict in map(gate, corpus(2000)) if isinstance(verdict, Number)]
    assert passed, "the corpus must hold good numbers as well, or it proves nothing"
    for number in passed:
        parsed = phonenumbers.parse(number.e164)
        assert E164.fullmatch(number.e164)
        assert phonenumbers.is_valid_number(parsed)
        assert phonenumbers.region_code_for_number(parsed) in REGIONS
        assert not re.match(r"\+1(900|976|\d{3}976|[2-9]11)", number.e164)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="0123456789+()-. ,;#*w\uff11\u0661", max_size=20))
def test_any_text_is_judged(raw: str) -> None:
    """Fails if some text crashes the gate, or if what passes is not itself a number that passes unchanged."""
    verdict = gate(raw)
    if isinstance(verdict, Number):
        assert E164.fullmatch(verdict.e164)
        assert gate(verdict.e164) == verdict


def deployment(**changed: object) -> Settings:
    return Settings.model_validate({"floyd_env": "local", "floyd_caller_number": "+13125550199"} | changed)


CALLEE = Number("+13125550142", "US", "fixed_or_mobile")


def test_outside_production_nothing_rings_without_a_list() -> None:
    """Fails if a laptop without an allow list can ring a phone."""
    verdict = may_ring(CALLEE, deployment())
    assert isinstance(verdict, Refusal)
    assert verdict.rule == "allow_list"
    assert may_ring(CALLEE, deployment(floyd_dial_allow=CALLEE.e164)) == CALLEE
    assert may_ring(CALLEE, deployment(floyd_env="production")) == CALLEE
    assert isinstance(may_ring(CALLEE, deployment(floyd_env="production", floyd_dial_allow="")), Refusal)


def test_the_override_rings_instead_and_is_judged() -> None:
    """Fails if the override does not catch every call, or is rung although the gate refuses it."""
    mine = "+14165550123"
    safe = deployment(floyd_dial_override=mine, floyd_dial_allow=mine)
    assert may_ring(CALLEE, safe) == Number(mine, "CA", "fixed_or_mobile")
    abroad = deployment(floyd_env="production", floyd_dial_override="+442071838750")
    assert isinstance(may_ring(CALLEE, abroad), Refusal)
    itself = deployment(floyd_env="production", floyd_dial_override="+13125550199")
    assert isinstance(may_ring(CALLEE, itself), Refusal)
