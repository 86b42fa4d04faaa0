"""What is allowed: tables of rules per profile. Pure judgement on values, no I/O."""
