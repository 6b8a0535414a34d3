//! Configures the build for one Ruby, and says on which Rubies the extension may note an object as shareable by setting
//! the flag in its header (`src/ffi/note.rs`).

/// The oldest and the newest Ruby on which that was proved: by the suite, by seeded stress runs, and with
/// `GC.verify_internal_consistency` on a Ruby that was built with its internal checks. Ruby 4.1 keeps a second note of
/// each shareable object in its heap page, so it is not among them.
const PROVED: [(u8, u8); 2] = [(3, 1), (4, 0)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ruby = rb_sys_env::activate()?.ruby_major_minor();
    println!("cargo:rustc-check-cfg=cfg(header_flag_proved)");
    if (PROVED[0]..=PROVED[1]).contains(&ruby) {
        println!("cargo:rustc-cfg=header_flag_proved");
    }
    Ok(())
}
