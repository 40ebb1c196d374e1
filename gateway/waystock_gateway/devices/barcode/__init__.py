"""Barcode scanners: framing (`line` or Zebra `ssi`), AIM identifiers, GS1 content."""
