//! What `build.rs` generated, and the two crates that it names.

use prost as _;
use tonic_prost as _;

tonic::include_proto!("synap.v1");
