//! Values, types, functions and the evaluation of HCL expressions, with Terraform's semantics.
