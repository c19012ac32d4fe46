"""The checks: derivations, gradients, experiments and their reruns, and the ledger of claims."""
