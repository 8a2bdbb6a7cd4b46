"""Whom a story must not name: protected people, their spellings, and the search for them in everything written."""
