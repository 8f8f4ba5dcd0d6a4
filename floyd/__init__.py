"""What a phone errand is: requests and their lifecycle, plans, facts, mandates, numbers, storage, the carrier.

Cloud Functions and the relay share this vocabulary; it imports neither of them.
"""
