"""`python -m waystock.fleet`: compile the fold ahead of the first start of ingest, for this machine
and user. Does nothing where that was done before.
"""

from waystock.fleet.fold import warm_up

warm_up()
