"""Waystock: one live picture of warehouse and fleet. This package is what the components share."""
