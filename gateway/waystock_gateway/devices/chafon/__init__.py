"""UHF RFID readers of the Chafon / UHFReader18 family."""
