"""The record and its rules: what a program is, who may change it, and how changes are marked.

Knows no HTTP, Redis or search engine.
"""
