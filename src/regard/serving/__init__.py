"""Serving: pages and answers over HTTP, from a model that stays in memory."""
