"""The person for whom the local stack works when nobody else signs in: made up, with numbers nobody owns."""

from __future__ import annotations

from datetime import datetime

from floyd.command.client import Client
from floyd.command.running import Running
from floyd.command.telephone import TelephoneNetwork
from floyd.documents import Fact, Person
from floyd.errors import ConfigError

UID = "tom"
NAME = "Tom Baker"
NUMBER = "+12025550187"
SCHOOL, FLOWER_SHOP = "school", "flower_shop"

FACTS = (
    Fact(key="school_name", value="Lincoln Elementary", category="place", share="always"),
    Fact(key="child_name", value="Mara Baker", category="family", share="always"),
    Fact(key="child_teacher", value="Mrs. Green", category="family", share="always"),
    Fact(key="flower_shop_name", value="Rose Flower Shop", category="place", share="always"),
    Fact(key="christa_address", value="12 Oak Street", category="address", share="always"),
    Fact(key="home_address", value="4 Hill Road", category="address", share="ask"),
    Fact(key="dentist_appointment", value="Tuesday at three", category="appointment", share="always"),
    Fact(key="card_number", value="4242 4242 4242 4242", category="payment", share="never"),
)


def sign_in(running: Running) -> Client:
    """The made-up person, signed in."""
    return Client(running, UID, number=NUMBER, name=NAME)


def move_in(client: Client, network: TelephoneNetwork | None, now: datetime) -> None:
    """Write the person's profile and facts. In the simulated network school and flower shop have numbers where it is
    day; in the real one the person has to add them (`floyd facts add`)."""
    client.introduce(Person(name=NAME, number=NUMBER))
    for fact in FACTS:
        client.save_fact(fact)
    if network is None:
        return
    for name in (SCHOOL, FLOWER_SHOP):
        number = network.number_by_day(name, now)
        if number is None:
            raise ConfigError(f"The simulated network has no number of {name} where it is day now")
        client.save_fact(Fact(key=f"{name}_number", value=number, category="phone_number", share="always"))
