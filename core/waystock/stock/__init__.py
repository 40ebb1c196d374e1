"""Pure rules of stock: what a scan means (interpret), what a licence plate's history moves
(ledger), and which levels and receipts need a person (exceptions). No clock, no I/O.
"""
