#![allow(dead_code)]
fn misformatted( ) { }

fn unidiomatic() -> u8 {
    return 1;
}

#[test]
fn canary() {
    panic!("the canary fails");
}
