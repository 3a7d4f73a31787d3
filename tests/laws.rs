//! The laws of the pure core, against a checker and a brute-force oracle that share no code with it: what is placed
//! is placed soundly, a refusal of one more workload was unavoidable, what runs stays, the order of the inputs and
//! idle hosts change nothing; addresses are given out in order and never twice.

#[path = "laws/addresses.rs"]
mod addresses;
#[path = "laws/checker.rs"]
mod checker;
#[path = "laws/choosing.rs"]
mod choosing;
#[path = "laws/exhaustive.rs"]
mod exhaustive;
#[path = "laws/inventory.rs"]
mod inventory;
#[path = "laws/named.rs"]
mod named;
#[path = "laws/oracle.rs"]
mod oracle;
#[path = "laws/placing.rs"]
mod placing;
#[path = "laws/world.rs"]
mod world;
