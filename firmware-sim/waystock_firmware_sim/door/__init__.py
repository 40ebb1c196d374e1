"""A dock door with an RFID portal: what moves through it and beside it, and what its reader says."""
