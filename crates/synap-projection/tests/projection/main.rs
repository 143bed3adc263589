//! Tests of the projection through its public face: rows by `turn`, `fold` and a running projector.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod cuts;
#[cfg(test)]
mod enriched;
#[cfg(test)]
mod erasing;
#[cfg(test)]
mod folds;
#[cfg(test)]
mod halts;
#[cfg(test)]
mod indexed;
#[cfg(test)]
mod mixed;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod parking;
#[cfg(test)]
mod running;
#[cfg(test)]
mod times;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod waits;
#[cfg(test)]
mod world;
