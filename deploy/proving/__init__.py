"""The production shape on one machine, without containers, from the very files of deploy/ (`make cluster`)."""
