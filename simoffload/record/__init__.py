"""What a run leaves behind: rows in part files, a manifest, streaming statistics, and a fingerprint of it all.

Knows plain values only, nothing of the world that they describe.
"""
