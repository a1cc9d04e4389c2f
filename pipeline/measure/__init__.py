"""NPS, CSAT, CES, time to resolution and who answered: estimates with their intervals, from linked tables."""
