# Planned only: OpenOnload is not in Debian, and needs a Solarflare card.
infra { project = "onload-trading" }

module "it" {
  source = "./.."

  image   = "registry.example.org/trader:1.0"
  command = ["/usr/bin/trader", "--venue", "example"]
}

output "name" {
  value       = module.it.name
  description = "What its daemon knows it by."
}
