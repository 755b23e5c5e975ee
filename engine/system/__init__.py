"""What the operating system has to provide: libraries, the packages they come in, a display."""
