"""Device simulators and the seeded world they live in. Its encoders are written from the device
manuals and standards alone, so that they check the gateway's decoders instead of sharing them.
"""
