"""A dock door with an RFID portal: what moves at it, and what its reader says."""
