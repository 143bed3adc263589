//! Temporary.
use crate::Statement;
pub struct Attribute { pub name: String, pub value: String, pub confidence: f32 }
pub fn attribute(_: &Statement, _: bool) -> Option<Attribute> { None }
