"""EPC binary encodings of RFID tags (GS1 EPC Tag Data Standard)."""
