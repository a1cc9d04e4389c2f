"""Vivencia: does a better customer experience sell more and keep customers, which part does it, and did what changed work?"""
