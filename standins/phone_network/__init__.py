"""The local telephone network: Twilio's REST API, webhooks and Media Streams, and the people who pick up."""
