"""The drift audit: does an index equal the published programs, and the reports of what it found."""
