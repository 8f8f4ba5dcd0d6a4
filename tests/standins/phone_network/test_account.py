"""What an account's owner reads of it, judged by the vendor's own client."""

import asyncio

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from standins.phone_network.exchange import Exchange
from tests.standins.phone_network.peer import ACCOUNT, FLOYD, TOKEN


async def test_the_vendors_client_reads_the_account(base_url: str, exchange: Exchange) -> None:
    """If this fails the stand-in's account is not what Twilio's looks like."""
    exchange.voice_urls[FLOYD] = "https://carrier.example.com/inbound"
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=10, max_retries=None))
    for product in (client.api, client.voice, client.trusthub):
        product.base_url = base_url

    (number,) = await asyncio.to_thread(client.incoming_phone_numbers.list, phone_number=FLOYD)
    countries = await asyncio.to_thread(client.voice.v1.dialing_permissions.countries.list)
    account = await asyncio.to_thread(client.api.v2010.accounts(ACCOUNT).fetch)

    assert (number.phone_number, number.voice_url) == (FLOYD, "https://carrier.example.com/inbound")
    assert {each.iso_code for each in countries if each.low_risk_numbers_enabled} == {"US", "CA"}
    assert account.status == "active"
    assert await asyncio.to_thread(client.trusthub.v1.customer_profiles.list) == []
