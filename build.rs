//! Link settings of the addon.

fn main() {
    napi_build::setup();
    // Native threads outlive the worker thread that loaded the addon first, so its image
    // must stay mapped after the last `dlclose`.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
