//! JSON in which no object names a field twice: `{"customer_id":"acme","customer_id":""}` must not be read as the second
//! by us and as the first by whoever checked it before.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// A value that says everything once.
pub(super) struct Unique(pub(super) Value);

/// What a repeated field is refused with: to be told from malformed JSON, without the field's name.
pub(super) const REPEATED: &str = "is ambiguous: an object names a field twice";

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Build).map(Self)
    }
}

struct Build;

impl<'de> Visitor<'de> for Build {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((field, Unique(value))) = entries.next_entry::<String, Unique>()? {
            if fields.insert(field, value).is_some() {
                return Err(Error::custom(REPEATED));
            }
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn repeated_fields_are_refused_at_every_level() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"[[{"a":0,"\u0061":0}]]"#,
        ] {
            let refused = serde_json::from_str::<Unique>(json)
                .map(|_| ())
                .unwrap_err();
            assert!(refused.to_string().starts_with(REPEATED), "{refused}");
        }
        assert!(serde_json::from_str::<Unique>(r#"[{"a":1},{"a":1}]"#).is_ok());
    }

    proptest! {
        #[test]
        fn all_else_is_read_as_it_stands(number: f64, whole: i64, large: u64, text: String, flag: bool) {
            let json = serde_json::json!({"n": number, "i": whole, "u": large, "l": [text, flag, null], "o": {text: {}}});
            let Unique(read) = serde_json::from_str(&json.to_string()).unwrap();
            prop_assert_eq!(read, json);
        }
    }
}
