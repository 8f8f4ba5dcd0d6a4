"""The local stand-in for OpenAI's Responses API, with a rule-based mind behind it: `python -m standins openai`."""

from standins.openai.server import add_arguments, serve

__all__ = ["add_arguments", "serve"]
