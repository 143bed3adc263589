//! Tests of the query through its public face, over rows in memory.
//!
//! The rows are written by a small stand-in for the projection: crates of one layer do not depend on each other, for
//! tests neither.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod contradictions;
#[cfg(test)]
mod crowding;
#[cfg(test)]
mod dense;
#[cfg(test)]
mod lookups;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod selection;
#[cfg(test)]
mod visibility;
#[cfg(test)]
mod world;
