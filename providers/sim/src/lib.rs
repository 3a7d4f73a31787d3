//! A provider whose hosts are a map and whose faults are chosen by the test.
