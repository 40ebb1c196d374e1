"""UHF RFID modules of the R200 / YRM100 / M100 family."""
