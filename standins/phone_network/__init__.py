"""The local telephone network: Twilio's REST API, webhooks and Media Streams, and the people who pick up.

Imports nothing of the product, so that two independent readings of the vendor's protocol meet on the wire.
"""

from standins.phone_network.server import add_arguments, serve

__all__ = ["add_arguments", "serve"]
