//! Asking for memories to be changed, forgotten or deleted.

use crate::json::Fields;
use crate::limits::{FORGET_CHARS_MAX, FORGET_CHARS_MIN};
use crate::{
    ApiError, ClientId, Content, ConversationName, DocumentId, DocumentType, IdempotencyKey,
    InstanceId, Isolation, LevelName, MemoryId, MergeStrategy, Scope, ScopeIds, ingest,
};
use serde_json::{Map, Value};

/// New content for a memory.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateRequest {
    /// The content.
    pub content: Content,
    /// How it goes together with what is there.
    pub merge: MergeStrategy,
    /// How the content is to be read.
    pub document_type: Option<DocumentType>,
    /// The caller's own data, if it is to be replaced.
    pub metadata: Option<Map<String, Value>>,
    /// The caller's idempotency key.
    pub key: Option<IdempotencyKey>,
}

impl UpdateRequest {
    /// Reads the body. Fields that are not known are ignored.
    pub fn parse(body: Map<String, Value>) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let merge = match fields.string("merge_strategy", 64)?.as_deref() {
            None | Some("smart-merge") => MergeStrategy::SmartMerge,
            Some("replace") => MergeStrategy::Replace,
            Some("append") => MergeStrategy::Append,
            Some(_) => {
                let problem = "must be replace, append or smart-merge";
                return Err(ApiError::invalid("merge_strategy", problem));
            }
        };
        let has_metadata = fields.has("metadata");
        let metadata = fields.metadata()?;
        Ok(Self {
            content: ingest::content(&mut fields)?,
            merge,
            document_type: fields.parsed("document_type")?,
            metadata: has_metadata.then_some(metadata),
            key: None,
        })
    }
}

/// What to forget of one user, described.
#[derive(Debug, Clone, PartialEq)]
pub struct ForgetRequest {
    /// Whose memories: a user's scope.
    pub scope: Scope,
    /// What they are about.
    pub description: String,
    /// Whether to forget them, or only to say which.
    pub direct: bool,
}

impl ForgetRequest {
    /// Reads the body. Fields that are not known are ignored.
    pub fn parse(
        body: Map<String, Value>,
        client: &ClientId,
        isolation: &Isolation,
    ) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let ids = fields.scope_ids()?;
        let description = fields
            .string("description", crate::limits::BODY_BYTES_MAX)?
            .ok_or_else(|| ApiError::invalid("description", "is required"))?;
        let chars = description.trim().chars().count();
        if chars < FORGET_CHARS_MIN {
            let problem = format!("has {chars} characters, at least {FORGET_CHARS_MIN} are needed");
            return Err(ApiError::invalid("description", problem));
        }
        if chars > FORGET_CHARS_MAX {
            let (field, unit) = ("description", "characters");
            return Err(ApiError::over_limit(field, unit, chars, FORGET_CHARS_MAX));
        }
        let direct = match fields.string("mode", 64)?.as_deref() {
            None | Some("preview") => false,
            Some("direct") => true,
            Some(_) => return Err(ApiError::invalid("mode", "must be preview or direct")),
        };
        Ok(Self {
            scope: isolation.scope_at(client, &ids, LevelName::USER)?,
            description,
            direct,
        })
    }
}

/// What to delete.
#[derive(Debug, Clone, PartialEq)]
pub enum DeleteOf {
    /// Everything of a user, or of a customer and all its users.
    Scope(Scope),
    /// One conversation, and whose it is as far as the caller said.
    Conversation(ConversationName, ScopeIds),
    /// Every version of one document.
    Document(Scope, DocumentId),
    /// What one memory was derived from, if nothing else was.
    Memory(MemoryId),
}

/// Whose data to delete.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteRequest {
    /// A user's or a customer's scope, one conversation, or one document.
    pub of: DeleteOf,
    /// Only count.
    pub dry_run: bool,
    /// The caller's idempotency key.
    pub key: Option<IdempotencyKey>,
}

impl DeleteRequest {
    /// Reads the body. Fields that are not known are ignored. Unless it is a dry run, `confirm` must repeat the id.
    pub fn parse(
        body: Map<String, Value>,
        client: &ClientId,
        isolation: &Isolation,
        instance: &InstanceId,
    ) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        if let Some(named) = fields.id::<InstanceId>("instance_id")?
            && named != *instance
        {
            return Err(ApiError::invalid(
                "instance_id",
                "is not the key's instance",
            ));
        }
        let kind = fields.string("scope", 64)?;
        let kind = kind.as_deref().unwrap_or_default().to_owned();
        let ids = fields.scope_ids()?;
        let conversation_text = fields.string("conversation_id", crate::limits::BODY_BYTES_MAX)?;
        let (of, id) = match kind.as_str() {
            LevelName::USER | LevelName::CUSTOMER => {
                let scope = isolation.scope_at(client, &ids, &kind)?;
                let id = scope.path().last().map(|level| level.id.to_string());
                (DeleteOf::Scope(scope), id)
            }
            "conversation" => {
                let text = conversation_text.filter(|text| !text.is_empty());
                let text =
                    text.ok_or_else(|| ApiError::invalid("conversation_id", "is required"))?;
                let name = crate::json::parse_id("conversation_id", &text)?;
                let conversation = ConversationName::new(name);
                (DeleteOf::Conversation(conversation, ids), Some(text))
            }
            "document" => {
                let scope = isolation.scope(client, &ids)?;
                let id: Option<DocumentId> = fields.id("document_id")?;
                let id = id.ok_or_else(|| ApiError::invalid("document_id", "is required"))?;
                let text = id.to_string();
                (DeleteOf::Document(scope, id), Some(text))
            }
            "memory" => {
                let text = fields.string("memory_id", 64)?;
                let text = text.ok_or_else(|| ApiError::invalid("memory_id", "is required"))?;
                let id = text.parse();
                let id = id.map_err(|_| ApiError::invalid("memory_id", "is no UUID"))?;
                (DeleteOf::Memory(id), Some(text))
            }
            _ => {
                let problem = "must be user, customer, conversation, document or memory";
                return Err(ApiError::invalid("scope", problem));
            }
        };
        let dry_run = fields.flag("dry_run")?;
        let confirm = fields.string("confirm", crate::limits::BODY_BYTES_MAX)?;
        if !dry_run && confirm != id {
            return Err(ApiError::invalid(
                "confirm",
                format!("must repeat the id of the {kind}"),
            ));
        }
        Ok(Self {
            of,
            dry_run,
            key: None,
        })
    }
}

/// Which way a memory is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveTo {
    /// To a scope of its own chain.
    Wider,
    /// To a scope below its own.
    Narrower,
}

/// Where a memory is to be told from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveRequest {
    /// Which way.
    pub way: MoveTo,
    /// The level of the scope that it goes to.
    pub to: String,
    /// Whose scope that is, as far as the caller said.
    pub ids: ScopeIds,
    /// Whether the caller knows that everybody is told.
    pub confirm: bool,
}

impl MoveRequest {
    /// Reads the body. Fields that are not known are ignored.
    pub fn parse(body: Map<String, Value>, way: MoveTo) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let to = fields.string("to", crate::limits::LEVEL_NAME_BYTES_MAX)?;
        Ok(Self {
            way,
            to: to.ok_or_else(|| ApiError::invalid("to", "is required"))?,
            ids: fields.scope_ids()?,
            confirm: fields.flag("confirm")?,
        })
    }

    /// The scope that a memory of `own` goes to: one of `own`'s chain, or one strictly below it, and never another.
    pub fn target(&self, isolation: &Isolation, own: &Scope) -> Result<Scope, ApiError> {
        match self.way {
            MoveTo::Wider => self.wider(own),
            MoveTo::Narrower => self.narrower(isolation, own),
        }
    }

    fn wider(&self, own: &Scope) -> Result<Scope, ApiError> {
        if !self.ids.agree_with(own) {
            return Err(not_its_own());
        }
        let mut chain = own.chain().skip(1);
        let Some(target) = chain.find(|wider| wider.kind() == self.to) else {
            let wider: Vec<String> = own.chain().skip(1).map(|s| s.kind().to_owned()).collect();
            return Err(Self::no_such_level(own, "wider", &wider));
        };
        if target.path().is_empty() && !self.confirm {
            let problem = "must be true: every customer and every user is told it then";
            return Err(ApiError::invalid("confirm", problem));
        }
        Ok(target)
    }

    fn narrower(&self, isolation: &Isolation, own: &Scope) -> Result<Scope, ApiError> {
        let ladder = isolation.ladder().iter();
        let below: Vec<String> = ladder
            .skip(own.path().len())
            .map(LevelName::to_string)
            .collect();
        if !below.contains(&self.to) {
            return Err(Self::no_such_level(own, "narrower", &below));
        }
        let mut ids = self.ids.clone();
        for level in own.path() {
            ids.scope
                .entry(level.level.clone())
                .or_insert_with(|| level.id.clone());
        }
        let target = isolation.scope_at(own.client(), &ids, &self.to)?;
        if target == *own || !target.sees(own) {
            return Err(not_its_own());
        }
        Ok(target)
    }

    fn no_such_level(own: &Scope, way: &str, levels: &[String]) -> ApiError {
        let kind = own.kind();
        let problem = match levels {
            [] => format!("names no {way} scope: the memory is a {kind}'s, and there is none"),
            levels => format!(
                "names no {way} scope: the memory is a {kind}'s, so it must be {}",
                levels.join(" or ")
            ),
        };
        ApiError::invalid("to", problem)
    }
}

fn not_its_own() -> ApiError {
    ApiError::invalid("to", "goes with ids that are not the memory's own")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn moved(own: &[&str], way: MoveTo, body: Value) -> Result<String, String> {
        let level = |(name, id): (&&str, &&str)| crate::ScopeLevel {
            level: name.parse().unwrap(),
            id: id.parse().unwrap(),
        };
        let path = ["customer", "user"].iter().zip(own).map(level).collect();
        let own = Scope::new("app".parse().unwrap(), path).unwrap();
        let request = MoveRequest::parse(object(body), way).map_err(|e| e.message)?;
        let target = request.target(&Isolation::strict(), &own);
        target
            .map(|scope| format!("{scope:?}"))
            .map_err(|refusal| refusal.message)
    }

    #[test]
    fn a_promotion_stays_on_the_chain_and_everybody_is_told_only_if_that_is_confirmed() {
        let up = |own: &[&str], body| moved(own, MoveTo::Wider, body);
        let alice = ["acme", "alice"];
        let acme = Ok("\"app\"/customer:\"acme\"".to_owned());
        assert_eq!(up(&alice, json!({"to": "customer"})), acme);
        let own = json!({"to": "customer", "customer_id": "acme", "user_id": "alice"});
        assert_eq!(up(&alice, own), acme);
        let all = json!({"to": "client", "confirm": true});
        assert_eq!(up(&alice, all), Ok("\"app\"".to_owned()));
        for (own, body, message) in [
            (
                &alice[..],
                json!({"to": "client"}),
                "confirm must be true: every customer and every user is told it then",
            ),
            (
                &alice,
                json!({"to": "customer", "customer_id": "globex"}),
                "to goes with ids that are not the memory's own",
            ),
            (
                &alice,
                json!({"to": "user"}),
                "to names no wider scope: the memory is a user's, so it must be customer or client",
            ),
            (
                &[],
                json!({"to": "customer"}),
                "to names no wider scope: the memory is a client's, and there is none",
            ),
            (&alice, json!({}), "to is required"),
        ] {
            assert_eq!(up(own, body).unwrap_err(), message);
        }
    }

    #[test]
    fn a_demotion_goes_below_the_memorys_own_scope_and_never_to_another_customer() {
        let down = |own: &[&str], body| moved(own, MoveTo::Narrower, body);
        let bob = Ok("\"app\"/customer:\"acme\"/user:\"bob\"".to_owned());
        let of_acme = json!({"to": "user", "user_id": "bob"});
        assert_eq!(down(&["acme"], of_acme), bob);
        let of_client = json!({"to": "user", "user_id": "bob", "customer_id": "acme"});
        assert_eq!(down(&[], of_client), bob);
        for (own, body, message) in [
            (
                &["acme"][..],
                json!({"to": "user", "user_id": "bob", "customer_id": "globex"}),
                "customer_id contradicts scope.customer",
            ),
            (
                &["acme"],
                json!({"to": "user", "user_id": "bob", "scope": {"customer": "globex"}}),
                "to goes with ids that are not the memory's own",
            ),
            (&["acme"], json!({"to": "user"}), "user_id is required"),
            (
                &[],
                json!({"to": "user", "user_id": "bob"}),
                "customer_id is required with user_id",
            ),
            (
                &["acme"],
                json!({"to": "customer", "customer_id": "globex"}),
                "to names no narrower scope: the memory is a customer's, so it must be user",
            ),
            (
                &["acme", "alice"],
                json!({"to": "user", "user_id": "bob"}),
                "to names no narrower scope: the memory is a user's, and there is none",
            ),
        ] {
            assert_eq!(down(own, body).unwrap_err(), message);
        }
    }

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(body) = value else {
            panic!("not an object")
        };
        body
    }

    fn delete(body: Value) -> Result<DeleteRequest, String> {
        let (client, instance) = ("app".parse().unwrap(), "inst_1".parse().unwrap());
        DeleteRequest::parse(object(body), &client, &Isolation::strict(), &instance)
            .map_err(|refusal| refusal.message)
    }

    #[test]
    fn a_deletion_is_confirmed_and_names_its_own_instance() {
        let body = |scope: &str, confirm: Value| {
            json!({"scope": scope, "instance_id": "inst_1", "user_id": "al", "customer_id": "acme",
                "conversation_id": "c1", "dry_run": false, "confirm": confirm})
        };
        let user = delete(body("user", json!("al"))).unwrap();
        assert!(matches!(user.of, DeleteOf::Scope(scope) if scope.kind() == "user"));
        let conversation = delete(body("conversation", json!("c1"))).unwrap();
        assert!(matches!(conversation.of, DeleteOf::Conversation(..)));
        for (body, message) in [
            (
                body("user", json!(null)),
                "confirm must repeat the id of the user",
            ),
            (
                body("user", json!("acme")),
                "confirm must repeat the id of the user",
            ),
            (
                body("client", json!("x")),
                "scope must be user, customer, conversation, document or memory",
            ),
            (body("document", json!("c1")), "document_id is required"),
            (
                body("customer", json!("acme")),
                "user_id is not accepted where a customer is meant",
            ),
            (
                json!({"scope": "user", "instance_id": "inst_2"}),
                "instance_id is not the key's instance",
            ),
        ] {
            assert_eq!(delete(body).unwrap_err(), message);
        }
    }

    #[test]
    fn a_description_has_bounds() {
        let forget = |description: &str| {
            let body = json!({"description": description, "user_id": "al", "customer_id": "acme"});
            ForgetRequest::parse(object(body), &"app".parse().unwrap(), &Isolation::strict())
                .map(|request| request.direct)
                .map_err(|refusal| refusal.message)
        };
        assert_eq!(forget("bike"), Ok(false));
        assert_eq!(
            forget(" b ").unwrap_err(),
            "description has 1 characters, at least 3 are needed"
        );
        assert_eq!(
            forget(&"b".repeat(501)).unwrap_err(),
            "description has 501 characters, the limit is 500"
        );
    }

    #[test]
    fn metadata_is_replaced_only_if_it_is_given() {
        let update = |body: Value| UpdateRequest::parse(object(body)).unwrap();
        assert_eq!(update(json!({"document": "x"})).metadata, None);
        assert_eq!(
            update(json!({"document": "x", "metadata": null})).metadata,
            None
        );
        assert_eq!(
            update(json!({"document": "x", "metadata": {}})).metadata,
            Some(Map::new())
        );
    }
}
