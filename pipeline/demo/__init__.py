"""The invented demo company: customers, exports as they look in real life, and the truth that was planted in them."""
