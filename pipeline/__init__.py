"""Vivencia: does a better experience sell more and keep customers, which part does it, did what changed work?"""
