#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| almscript_fuzz::served(data));
