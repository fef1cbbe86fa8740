//! Makes sure that the page's folder exists, so that the program builds without Node; rebuilds when the page changes.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../frontend/dist");
    std::fs::create_dir_all(&page)?;
    println!("cargo:rerun-if-changed={}", page.display());
    Ok(())
}
