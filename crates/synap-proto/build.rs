//! Generates messages, client and server from the `.proto`, without a `protoc` on the machine.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/proto");
    println!("cargo:rerun-if-changed={}", folder.display());
    let files = protox::compile(["synap/v1/synap.proto"], [&folder])?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
