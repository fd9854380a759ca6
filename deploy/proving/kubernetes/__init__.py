"""`make prove-k8s`: the manifests of deploy/kubernetes on a real control plane, whose nodes and metrics are played."""
