"""Routes for operators under /ops (pipeline, rebuilds, audits, engines, caches), and /health and /metrics."""
