"""Any export, read strictly: what is clean, what went to quarantine and why, and a count that adds up."""
