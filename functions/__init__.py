"""Cloud Functions: stateless handlers, each safe to run twice. `main.py` holds the entry points."""
