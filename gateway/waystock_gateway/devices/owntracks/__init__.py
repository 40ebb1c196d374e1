"""Phones with the OwnTracks app."""
