#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hotpath_fuzz::run("sparse_matrix", data));
