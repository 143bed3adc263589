//! Optional model files and what they compute: sentence embeddings. It reads the files of one folder and nothing else:
//! no network, no clock, and it never decides when a model is asked.
//!
//! Only files of known content are used, so that equal names mean equal vectors on every machine that has them.
#![warn(missing_docs)]

mod bert;
mod curve;
mod encoder;
mod linear;
mod lookup;
mod tokens;

pub use encoder::{DIMENSIONS, Encoder, ModelError, TOKENS_MAX, quantised};
pub use lookup::look_up;
pub use tokens::TokenCounter;
