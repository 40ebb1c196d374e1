"""`python -m waystock_ingest`: compile ahead; does nothing where that was done before."""

from waystock_ingest.warm_up import warm_up

warm_up()
