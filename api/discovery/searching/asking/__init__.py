"""What engines are asked beside words: `cursors` continue a list behind its last program."""
