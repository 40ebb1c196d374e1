"""The seeded world: sites, goods, orders, trucks and roads, as one master-data document."""
