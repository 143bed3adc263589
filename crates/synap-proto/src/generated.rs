//! What `build.rs` generated.

tonic::include_proto!("synap.v1");
