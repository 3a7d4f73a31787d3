//! The fault sweep: whatever step fails, however it fails and wherever the process dies, recovering, planning
//! and applying again leads to the wanted world.
