"""Whole calls in virtual time: a seeded world around the conversation, every law checked at every step."""
