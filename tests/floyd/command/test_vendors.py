"""Which vendors are real: decided by keys, never by accident."""

from collections import defaultdict

import pytest

from floyd.command.vendors import KNOWN, VENDOR_VARIABLES, choose

NEEDED = {name: known["needed"] for name, known in KNOWN.items()}
TWILIO = dict.fromkeys(NEEDED["twilio"], "given")
# Any host:port will do for a part of the stack.
PLACES = defaultdict(lambda: "127.0.0.1:1")


def test_without_keys_every_vendor_is_a_stand_in() -> None:
    """If this fails a machine without accounts cannot run the stack."""
    assert not any(vendor.real for vendor in choose({}).values())


def test_a_key_makes_its_vendor_real_and_no_other() -> None:
    """If this fails people cannot try one real vendor at a time."""
    chosen = choose({"OPENAI_API_KEY": "sk-real"})

    assert {name for name, vendor in chosen.items() if vendor.real} == {"openai"}
    assert "Twilio" not in chosen["openai"].sentence


@pytest.mark.parametrize("forgotten", NEEDED["twilio"])
def test_half_a_telephone_account_rings_nobody(forgotten: str) -> None:
    """If this fails a key left in the shell dials real phones, perhaps without an allow list."""
    environment = {**TWILIO, forgotten: " "}

    vendor = choose(environment)["twilio"]

    assert not vendor.real
    assert forgotten in vendor.sentence
    assert "given" not in vendor.environment(environment, PLACES).values()
    assert vendor.stand_ins


def test_the_demonstration_ignores_every_key() -> None:
    """If this fails a demonstration costs money or rings somebody."""
    environment = {**TWILIO, "OPENAI_API_KEY": "sk-real"}

    for vendor in choose(environment, only_stand_ins=True).values():
        assert not {"given", "sk-real"} & set(vendor.environment(environment, PLACES).values())


def test_a_real_vendor_gets_its_keys_and_no_stand_in() -> None:
    """If this fails a stack with real keys talks to a stand-in, or starts one in vain."""
    vendor = choose(TWILIO)["twilio"]

    assert vendor.environment({**TWILIO, "HOME": "/"}, PLACES) == TWILIO
    assert vendor.stand_ins == {}


def test_everything_that_leads_to_a_vendor_is_withheld_by_default() -> None:
    """If this fails a process of the stack can read a key that nobody decided to use."""
    assert {name for names in NEEDED.values() for name in names} - {"GOOGLE_CLOUD_PROJECT"} <= set(VENDOR_VARIABLES)
