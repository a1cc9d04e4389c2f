"""Who is who, the customer × month panel, and the events of a journey."""
