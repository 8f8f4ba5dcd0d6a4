"""The number gate: which numbers Floyd may ring at all. Asked when planning and again when dialling.

No vendor's own blocks are relied on. What passes is a valid, full-length number of an ordinary kind in an allowed
region; everything else is refused with words that a person can read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import phonenumbers
from phonenumbers import PhoneNumberType

from floyd.english import TOPICS

if TYPE_CHECKING:
    from floyd.settings import Settings

# Kinds whose price and owner are what a caller expects. Anything else, unknown kinds included, is refused.
ORDINARY_KINDS = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.VOIP: "voip",
}
COSTLY_KINDS = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})
# Ship and satellite networks, universal and international premium codes, disaster relief: ITU-T E.164 assigned codes
# without a country.
GLOBAL_CODES = frozenset({800, 808, 870, 878, 881, 882, 883, 888, 979})
# Emergency and crisis lines dialled in one of the regions of the world; the library knows the rest by region.
EMERGENCY = frozenset({"000", "110", "111", "112", "113", "117", "118", "119", "911", "988", "995", "999"})
# North American prefixes that the caller pays for. The library lets 976 exchanges through and takes Canada's
# caller-paid 6XX codes (satellite and data services) for internet telephony.
PREMIUM_NANP = re.compile(r"(900|976|600|622|633|644|655|677|688)\d{7}|\d{3}976\d{4}")
N11 = re.compile(r"[2-9]11")
# NANPA assigns no central-office code N11 within a geographic area code; the library lets them through.
N11_EXCHANGE = re.compile(r"\d{3}[2-9]11\d{4}")
# Shorter national numbers are short codes or service numbers in every region of the library.
SHORTEST_NATIONAL = 7
LONGEST_RAW = 40
_WRITTEN = re.compile(r"[ (]*\+?[0-9][0-9 ().\-/]*")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-")


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may be rung: `e164` with plus, `region` as ISO 3166 letters, `kind` as in ORDINARY_KINDS."""

    e164: str
    region: str
    kind: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a number is not rung. `category` is the outcome it leads to, `rule` the rule that refused,
    `reason` a sentence for the person."""

    category: Literal["number_invalid", "refused_by_policy"]
    rule: str
    reason: str


def _refused(rule: str, regions: Iterable[str] = ()) -> Refusal:
    invalid = rule in ("not_digits", "not_a_number", "not_valid")
    reason = TOPICS["refused_numbers"][rule].format(regions=", ".join(sorted(regions)))
    return Refusal("number_invalid" if invalid else "refused_by_policy", rule, reason)


def judge(
    raw: str, *, home_region: str = "US", regions: Collection[str], own_numbers: Collection[str] = ()
) -> Number | Refusal:
    """Judge a number as a person wrote it.

    `home_region` is where a number without country code is dialled; `regions` are the allowed ISO regions;
    `own_numbers` (E.164) are Floyd's and the requester's, which are never rung.
    """
    written = _plain_digits(raw)
    if written is None:
        return _refused("not_digits")
    if _is_emergency(written, {home_region, *regions}):
        return _refused("emergency")
    try:
        parsed = phonenumbers.parse(written, home_region)
    except phonenumbers.NumberParseException:
        return _refused("not_a_number")
    national, american = phonenumbers.national_significant_number(parsed), parsed.country_code == 1
    kind, region = phonenumbers.number_type(parsed), phonenumbers.region_code_for_number(parsed) or ""
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    service = american and kind != PhoneNumberType.TOLL_FREE and N11_EXCHANGE.fullmatch(national)
    broken = {
        "emergency": national in EMERGENCY,
        "short_code": len(national) < SHORTEST_NATIONAL,
        "global_network": parsed.country_code in GLOBAL_CODES,
        "premium": kind in COSTLY_KINDS or (american and PREMIUM_NANP.fullmatch(national)),
        "not_valid": service or not phonenumbers.is_valid_number(parsed),
        "region": region not in regions,
        "kind": kind not in ORDINARY_KINDS,
        "own_number": e164 in own_numbers,
    }
    rule = next((rule for rule, is_broken in broken.items() if is_broken), None)
    return _refused(rule, regions) if rule else Number(e164, region, ORDINARY_KINDS[kind])


def may_ring(number: Number, settings: Settings) -> Number | Refusal:
    """The number that really rings for a judged one: itself or the override, if this deployment may ring it.

    With an override every call rings it, so it passes the gate as well, and it is what the allow list must name.
    """
    rung: Number | Refusal = number
    if settings.floyd_dial_override:
        own = (settings.floyd_caller_number,)
        rung = judge(settings.floyd_dial_override, regions=settings.floyd_dial_regions, own_numbers=own)
    if isinstance(rung, Refusal):
        return rung
    if settings.may_ring_anyone or rung.e164 in (settings.floyd_dial_allow or ()):
        return rung
    return _refused("allow_list")


def _plain_digits(raw: str) -> str | None:
    """The number in ASCII digits and separators, or None if it holds anything that is not part of a number.

    Digits of other scripts become ASCII; invisible direction marks, which address books add, are dropped.
    """
    if len(raw) > LONGEST_RAW:
        return None
    kept = (
        each for each in unicodedata.normalize("NFKC", raw).translate(_DASHES) if unicodedata.category(each) != "Cf"
    )
    written = "".join(str(unicodedata.decimal(each, each)) for each in kept).strip(" ")
    return written if _WRITTEN.fullmatch(written) else None


def _is_emergency(written: str, regions: Iterable[str]) -> bool:
    """Whether the string, dialled as it stands or stripped of any prefix, could reach an emergency or crisis line."""
    digits = re.sub(r"\D", "", written)
    stripped = {digits.removeprefix(prefix) for prefix in ("", "0", "1", "00", "001", "011", "0111")}
    codes = {str(phonenumbers.country_code_for_region(region)) for region in regions}
    stripped |= {form.removeprefix(code) for form in tuple(stripped) for code in codes}
    if any(form in EMERGENCY or N11.fullmatch(form) for form in stripped):
        return True
    # Networks connect 911 at once and ignore what follows, so a longer string that starts so is refused as well.
    local = not written.lstrip("( ").startswith("+")
    return any(
        any(phonenumbers.is_emergency_number(form, region) for form in stripped)
        or (local and phonenumbers.connects_to_emergency_number(digits, region))
        for region in regions
    )
