"""Hiding in sound: what of the original may be heard, and what is heard instead."""
