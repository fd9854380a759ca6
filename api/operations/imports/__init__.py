"""What operators do about imports: routes that stop and repeat runs, and that pause, resume and hurry sources."""
