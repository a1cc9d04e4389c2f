"""What the rooms agree on: canonical tables, typed params, the claim, the refusal. Imports nothing of ours."""
