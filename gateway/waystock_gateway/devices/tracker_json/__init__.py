"""Trackers that publish their position as JSON over MQTT."""
