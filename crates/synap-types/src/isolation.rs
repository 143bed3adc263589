//! From the ids in a request to the one scope that they mean. Nothing here ever widens a scope.

use crate::{ApiError, ClientId, Id, LevelName, Scope, ScopeLevel};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The levels that an instance's scopes have, widest first: its ladder.
///
/// `strict` (business to business) is `customer, user`; `equals_customer` (business to consumer) is `user` alone.
/// Other ladders put levels between the two: `customer, team, user`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<LevelName>", into = "Vec<LevelName>")]
pub struct Isolation {
    ladder: Vec<LevelName>,
}

/// The ids of a request, before anyone knows what they mean. An empty string counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeIds {
    /// `customer_id`
    pub customer_id: Option<Id>,
    /// `user_id`
    pub user_id: Option<Id>,
    /// `scope`: level to id.
    pub scope: BTreeMap<LevelName, Id>,
}

impl ScopeIds {
    /// Whether every id that is given is `scope`'s own.
    pub fn agree_with(&self, scope: &Scope) -> bool {
        let id_of = |name: &str| {
            let mut path = scope.path().iter();
            path.find(|level| level.level.as_str() == name)
                .map(|level| &level.id)
        };
        let named = [
            (LevelName::CUSTOMER, &self.customer_id),
            (LevelName::USER, &self.user_id),
        ];
        let of_fields = named
            .into_iter()
            .filter_map(|(name, id)| Some((name, id.as_ref()?)));
        let of_scope = self.scope.iter().map(|(level, id)| (level.as_str(), id));
        of_fields
            .chain(of_scope)
            .all(|(name, id)| id_of(name) == Some(id))
    }
}

impl Isolation {
    /// `customer_id` is required with `user_id`.
    pub fn strict() -> Self {
        Self::from_names(&[LevelName::CUSTOMER, LevelName::USER])
    }

    /// Every user is a customer of his own; any `customer_id` is refused.
    pub fn equals_customer() -> Self {
        Self::from_names(&[LevelName::USER])
    }

    fn from_names(names: &[&str]) -> Self {
        Self {
            ladder: names.iter().filter_map(|name| name.parse().ok()).collect(),
        }
    }

    /// As `whoami` reports it: `strict` or `equals_customer`.
    pub fn name(&self) -> &'static str {
        if self
            .ladder
            .iter()
            .any(|level| level.as_str() == LevelName::CUSTOMER)
        {
            "strict"
        } else {
            "equals_customer"
        }
    }

    /// Levels, widest first.
    pub fn ladder(&self) -> &[LevelName] {
        &self.ladder
    }

    /// The scope that `ids` name: the path down the ladder as far as ids are given.
    pub fn scope(&self, client: &ClientId, ids: &ScopeIds) -> Result<Scope, ApiError> {
        let mut given = ids.scope.clone();
        for (name, id) in [
            (LevelName::CUSTOMER, &ids.customer_id),
            (LevelName::USER, &ids.user_id),
        ] {
            let (Some(id), Ok(level)) = (id, name.parse::<LevelName>()) else {
                continue;
            };
            if !self.ladder.contains(&level) {
                return Err(self.not_accepted(&level));
            }
            if given
                .insert(level.clone(), id.clone())
                .is_some_and(|other| other != *id)
            {
                return Err(ApiError::invalid(
                    format!("{name}_id"),
                    format!("contradicts scope.{level}"),
                ));
            }
        }
        let mut path = Vec::with_capacity(given.len());
        let mut missing: Option<&LevelName> = None;
        for level in &self.ladder {
            match (given.remove(level), missing) {
                (Some(id), None) => path.push(ScopeLevel {
                    level: level.clone(),
                    id,
                }),
                (Some(_), Some(missing)) => {
                    return Err(ApiError::invalid(
                        Self::field(missing),
                        format!("is required with {}", Self::field(level)),
                    ));
                }
                (None, _) => missing = missing.or(Some(level)),
            }
        }
        if let Some(level) = given.keys().next() {
            return Err(self.not_accepted(level));
        }
        Scope::new(client.clone(), path).map_err(|e| ApiError::invalid("scope", e.to_string()))
    }

    /// Refuses ids of levels that this instance's scopes do not have.
    pub fn accept(&self, ids: &ScopeIds) -> Result<(), ApiError> {
        let fields = [
            (LevelName::CUSTOMER, ids.customer_id.is_some()),
            (LevelName::USER, ids.user_id.is_some()),
        ];
        let of_fields = fields.into_iter().filter(|(_, given)| *given);
        let of_fields = of_fields.filter_map(|(name, _)| name.parse().ok());
        let mut named = of_fields.chain(ids.scope.keys().cloned());
        match named.find(|level: &LevelName| !self.ladder.contains(level)) {
            Some(level) => Err(self.not_accepted(&level)),
            None => Ok(()),
        }
    }

    /// The scope that `ids` name, which must end at `level`.
    pub fn scope_at(
        &self,
        client: &ClientId,
        ids: &ScopeIds,
        level: &str,
    ) -> Result<Scope, ApiError> {
        let scope = self.scope(client, ids)?;
        if scope.kind() == level {
            return Ok(scope);
        }
        if scope
            .path()
            .iter()
            .any(|found| found.level.as_str() == level)
            || level == "client"
        {
            let narrower = scope
                .path()
                .last()
                .map_or_else(String::new, |l| Self::field(&l.level));
            return Err(ApiError::invalid(
                narrower,
                format!("is not accepted where a {level} is meant"),
            ));
        }
        let wanted = match level {
            LevelName::CUSTOMER | LevelName::USER => format!("{level}_id"),
            other => format!("scope.{other}"),
        };
        Err(ApiError::invalid(wanted, "is required"))
    }

    fn not_accepted(&self, level: &LevelName) -> ApiError {
        let ladder: Vec<&str> = self.ladder.iter().map(LevelName::as_str).collect();
        ApiError::invalid(
            Self::field(level),
            format!(
                "is not accepted: this instance's levels are {}",
                ladder.join(", ")
            ),
        )
    }

    fn field(level: &LevelName) -> String {
        match level.as_str() {
            LevelName::CUSTOMER => "customer_id".to_owned(),
            LevelName::USER => "user_id".to_owned(),
            other => format!("scope.{other}"),
        }
    }
}

impl TryFrom<Vec<LevelName>> for Isolation {
    type Error = String;

    fn try_from(ladder: Vec<LevelName>) -> Result<Self, String> {
        if ladder.last().map(LevelName::as_str) != Some(LevelName::USER) {
            return Err("a ladder ends with the level user".to_owned());
        }
        let repeated = ladder
            .iter()
            .enumerate()
            .any(|(at, level)| ladder.iter().take(at).any(|l| l == level));
        if repeated || ladder.len() > crate::limits::SCOPE_LEVELS_MAX {
            return Err(format!(
                "a ladder has up to {} levels, each once",
                crate::limits::SCOPE_LEVELS_MAX
            ));
        }
        Ok(Self { ladder })
    }
}

impl From<Isolation> for Vec<LevelName> {
    fn from(isolation: Isolation) -> Self {
        isolation.ladder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(customer: Option<&str>, user: Option<&str>) -> ScopeIds {
        let id = |text: &str| text.parse().unwrap();
        ScopeIds {
            customer_id: customer.map(id),
            user_id: user.map(id),
            scope: BTreeMap::new(),
        }
    }

    #[track_caller]
    fn check(isolation: &Isolation, ids: &ScopeIds, expected: Result<&str, &str>) {
        let client = "app".parse().unwrap();
        let found = isolation
            .scope(&client, ids)
            .map(|s| format!("{s:?}"))
            .map_err(|e| e.message);
        assert_eq!(
            found.as_deref().map_err(String::as_str),
            expected,
            "{ids:?}"
        );
    }

    #[test]
    fn strict_instances_want_the_customer_with_the_user() {
        let strict = Isolation::strict();
        check(&strict, &ids(None, None), Ok("\"app\""));
        check(
            &strict,
            &ids(Some("acme"), None),
            Ok("\"app\"/customer:\"acme\""),
        );
        check(
            &strict,
            &ids(Some("acme"), Some("al")),
            Ok("\"app\"/customer:\"acme\"/user:\"al\""),
        );
        check(
            &strict,
            &ids(None, Some("al")),
            Err("customer_id is required with user_id"),
        );
    }

    #[test]
    fn equals_customer_instances_refuse_any_customer() {
        let b2c = Isolation::equals_customer();
        check(&b2c, &ids(None, Some("al")), Ok("\"app\"/user:\"al\""));
        check(
            &b2c,
            &ids(Some("acme"), Some("al")),
            Err("customer_id is not accepted: this instance's levels are user"),
        );
    }

    #[test]
    fn ladders_are_walked_without_gaps() {
        let ladder: Vec<LevelName> = ["customer", "team", "user"]
            .iter()
            .map(|n| n.parse().unwrap())
            .collect();
        let nested = Isolation::try_from(ladder).unwrap();
        let mut given = ids(Some("acme"), Some("al"));
        check(&nested, &given, Err("scope.team is required with user_id"));
        given
            .scope
            .insert("team".parse().unwrap(), "pay".parse().unwrap());
        check(
            &nested,
            &given,
            Ok("\"app\"/customer:\"acme\"/team:\"pay\"/user:\"al\""),
        );
        given
            .scope
            .insert("customer".parse().unwrap(), "other".parse().unwrap());
        check(
            &nested,
            &given,
            Err("customer_id contradicts scope.customer"),
        );
    }

    #[test]
    fn fetches_want_exactly_their_level() {
        let (strict, client) = (Isolation::strict(), "app".parse().unwrap());
        let message =
            |ids: &ScopeIds, level| strict.scope_at(&client, ids, level).unwrap_err().message;
        assert_eq!(
            message(&ids(Some("a"), None), "user"),
            "user_id is required"
        );
        assert_eq!(
            message(&ids(None, None), "customer"),
            "customer_id is required"
        );
        assert_eq!(
            message(&ids(Some("a"), Some("u")), "customer"),
            "user_id is not accepted where a customer is meant"
        );
        assert_eq!(
            message(&ids(Some("a"), None), "client"),
            "customer_id is not accepted where a client is meant"
        );
    }
}
