"""Device kinds, one folder each: decoder, README, sample configuration."""
