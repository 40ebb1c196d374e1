"""From MQTT batches to committed rows: exactly once, in any order."""
