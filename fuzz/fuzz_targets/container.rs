//! Containers of every format, in memory; see `checks`.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/replay/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::container(input));
