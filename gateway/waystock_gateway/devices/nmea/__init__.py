"""GPS units that speak NMEA 0183 over a serial line."""
