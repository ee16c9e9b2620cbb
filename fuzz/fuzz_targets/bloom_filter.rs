#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hotpath_fuzz::run("bloom_filter", data));
