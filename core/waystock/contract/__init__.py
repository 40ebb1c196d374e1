"""What crosses the wire between components: events, batches, acknowledgements, topics, live deltas,
and the master-data document. Imports the standard library and msgspec only; upstream and downstream
of everything.
"""
