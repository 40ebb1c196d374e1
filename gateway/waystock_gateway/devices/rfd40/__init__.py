"""Zebra RFD40 / RFD90 RFID sleds (JSON over MQTT)."""
