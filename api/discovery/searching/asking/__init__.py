"""What is asked for a list of programs: `queries` of engines, `sql` conditions, and `cursors` behind the last program of a page."""
