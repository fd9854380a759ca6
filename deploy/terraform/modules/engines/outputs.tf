output "urls" {
  description = "MEILI_URLS."
  value = join(",", [
    for index, name in var.engines : "${name}=http://${aws_instance.engine[index].private_ip}:7700"
  ])
}
