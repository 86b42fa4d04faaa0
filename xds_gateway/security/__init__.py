"""Who says so: pure judgement over certificates and, later, assertions and signatures."""
