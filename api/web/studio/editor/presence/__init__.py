"""Who has the editor of a program open at this moment, for the others who have it open."""
