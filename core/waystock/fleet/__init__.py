"""What is derived from a vehicle's fixes: motion, trips, geofence visits, shipment progress,
arrival times and the alert episodes that follow from them. Pure: no clock, no random, no I/O.
Upstream are position events and master data; downstream is ingest, which writes what `fold` gives.
"""
