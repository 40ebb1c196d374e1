"""What a device's readings become once its name, the clock and its own past are known."""
