"""Where every number comes from: receipts, fingerprints, exclusions, the audit."""
