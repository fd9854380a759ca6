"""The servers of the cluster, each from the configuration that deploy/ has for production."""
