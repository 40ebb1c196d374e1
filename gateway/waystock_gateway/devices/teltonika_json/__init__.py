"""Teltonika trackers that publish Codec JSON over MQTT."""
