//! Does what a plan says, checks that it was so, and decides nothing.
