"""The world on SimPy: kernel, stations, links, channels, arrivals, telemetry."""
