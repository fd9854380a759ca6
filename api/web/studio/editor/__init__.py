"""The editor of one program: its form, saving while somebody writes, and what is decided about the program.

The form sends what it was made of along with what was typed (`base`), so that only what somebody changed is written, and
so that two people who write at once can be told apart, with and without JavaScript.
"""
