"""What devices put on the wire, encoded by our own reading of the manuals. No I/O, no clock."""
