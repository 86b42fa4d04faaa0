"""Any life of documents: random requests, at the gateway and at a small registry in plain Python, which must agree."""
