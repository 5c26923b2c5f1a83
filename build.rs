//! Tells cargo to build again when a bundled file was added or removed: embedding a folder tracks
//! only the files that were in it.

fn main() {
    for folder in ["scripts", "stdlib"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
