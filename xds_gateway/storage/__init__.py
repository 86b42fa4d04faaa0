"""What we keep: the registry's rows, the documents and the journal of reads, behind the ports of `actors/ports.py`."""
