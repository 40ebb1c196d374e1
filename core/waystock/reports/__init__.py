"""Reports of the fleet as people take them along: what each has in it, and the files they come in.
Pure: rows come in, bytes go out; the store reads the rows, the api and the command ask for them.
"""
