"""The local stand-in for OpenAI's Responses API, with a rule-based mind behind it: `python -m standins openai`."""
