"""The steps that make the schema, in order. README.md says how they are named, written and tested."""
