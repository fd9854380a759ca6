"""Known-item queries: made from a catalogue's titles by kind (`known`), asked over HTTP and judged (`asking`)."""
