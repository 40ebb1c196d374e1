"""Impinj R700 fixed RFID readers (JSON over MQTT or webhook)."""
