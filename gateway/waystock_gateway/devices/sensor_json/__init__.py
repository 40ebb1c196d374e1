"""Sensors that publish their values as JSON over MQTT."""
