"""GPS units behind a gpsd, which tells in JSON what it understood of them."""
