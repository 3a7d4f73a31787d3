//! Text to evaluated configuration: HCL as Terraform's users know it; knows nothing of machines.
