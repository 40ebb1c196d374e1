"""Zebra FX fixed RFID readers (IoT Connector, JSON over MQTT)."""
