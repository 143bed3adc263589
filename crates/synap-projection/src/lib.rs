//! Pure projections from events to rows, and the projector that runs them over one partition.
//!
//! `apply` does no I/O: no clock, randomness, environment or network. It reads the rows of its own partition through
//! [`State`] and adds writes to it; rows and checkpoint are committed together by whoever calls [`turn`].

mod apply;
mod batch;
mod extract;
mod fold;
mod halt;
mod progress;
mod projector;
mod refold;
mod state;
mod step;
mod turn;

pub use apply::{ApplyError, PROJECTION_VERSION, apply};
pub use extract::{cut_by, extractor_of};
pub use fold::{FoldError, Folded, fold};
pub use halt::Halt;
pub use progress::{Progress, Standing, WaitError, wait_for};
pub use projector::{Applied, Projector};
pub use state::State;
pub use turn::{Turn, turn, turn_over};
