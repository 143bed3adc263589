//! What each shape of mem0 becomes, and that no scope is ever wider than asked for.

use super::*;

fn mapping() -> Mapping {
    Mapping::new(Customer::Fixed("acme".to_owned()), WithoutUser::Skip)
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).expect("an object")
}

#[track_caller]
fn map(mapping: &mut Mapping, memory: Value) -> Value {
    mapping.document(object(memory)).expect("a document")
}

#[track_caller]
fn skipped(mapping: &mut Mapping, memory: Value) -> String {
    match mapping.document(object(memory)) {
        Err(Problem::Skipped(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn malformed(memory: Value) -> String {
    match mapping().document(object(memory)) {
        Err(Problem::Malformed(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_memory_of_the_platform_keeps_everything_that_means_something() {
    let mut mapping = mapping();
    let memory = json!({"id": "m1", "memory": " Alex is a vegetarian.\n", "user_id": "alex", "agent_id": "chef",
        "run_id": null, "app_id": "kitchen", "hash": "62bc", "metadata": {"source": "chat"}, "categories": ["food"],
        "created_at": "2024-07-25T23:57:00.108347-07:00", "updated_at": "2024-07-26T00:00:00Z", "expiration_date": null,
        "immutable": false, "owner": "o", "organization": "g", "score": 0.5, "structured_attributes": {"year": 2024}});
    let expected = json!({"document": " Alex is a vegetarian.\n", "document_type": "document", "document_id": "mem0:m1",
        "document_created_at": "2024-07-25T23:57:00.108347-07:00", "customer_id": "acme", "user_id": "alex",
        "metadata": {"source": "chat", "mem0": {"id": "m1", "hash": "62bc", "user_id": "alex", "agent_id": "chef",
            "app_id": "kitchen", "categories": ["food"], "created_at": "2024-07-25T23:57:00.108347-07:00",
            "updated_at": "2024-07-26T00:00:00Z", "immutable": false, "owner": "o", "organization": "g"}}});
    assert_eq!(map(&mut mapping, memory), expected);
    let not_mapped: Vec<(&str, usize)> = mapping
        .not_mapped
        .iter()
        .map(|(k, v)| (k.as_str(), *v))
        .collect();
    assert_eq!(not_mapped, [("score", 1), ("structured_attributes", 1)]);
    assert!(
        mapping.without_effect.is_empty(),
        "{:?}",
        mapping.without_effect
    );
}

#[test]
fn the_spelling_of_the_typescript_library_is_understood() {
    let memory = json!({"id": "m1", "memory": "x", "userId": "alex", "createdAt": "2024-07-25", "runId": "r"});
    let document = map(&mut mapping(), memory);
    assert_eq!(document["user_id"], "alex");
    assert_eq!(document["document_created_at"], "2024-07-25");
    assert_eq!(document["metadata"]["mem0"]["run_id"], "r");
}

#[test]
fn the_text_may_have_another_name_and_what_is_over_is_counted() {
    for name in TEXTS {
        let document = map(&mut mapping(), json!({name: "words", "user_id": "u"}));
        assert_eq!(document["document"], "words");
        assert_eq!(document["document_id"], Value::Null);
    }
    let mut both = mapping();
    let document = map(
        &mut both,
        json!({"text": "b", "memory": "a", "user_id": "u"}),
    );
    assert_eq!(document["document"], "a");
    assert_eq!(both.not_mapped["text"], 1);
}

#[test]
fn without_a_user_nothing_is_widened_unless_asked_for() {
    let memory = || json!({"id": "m", "memory": "x", "agent_id": "a"});
    for user in [json!(null), json!("")] {
        let mut memory = memory();
        memory["user_id"] = user;
        assert_eq!(skipped(&mut mapping(), memory), "no user_id");
    }
    let fixed = || Customer::Fixed("acme".to_owned());
    let ids = |customer, without_user| {
        let document = map(&mut Mapping::new(customer, without_user), memory());
        (document["customer_id"].clone(), document["user_id"].clone())
    };
    assert_eq!(
        ids(fixed(), WithoutUser::Customer),
        (json!("acme"), Value::Null)
    );
    assert_eq!(
        ids(fixed(), WithoutUser::Client),
        (Value::Null, Value::Null)
    );
    let from_field = Customer::Field("app_id".to_owned());
    assert_eq!(
        ids(from_field.clone(), WithoutUser::Client),
        (Value::Null, Value::Null)
    );
    let mut none = Mapping::new(Customer::Absent, WithoutUser::Customer);
    assert_eq!(skipped(&mut none, memory()), "no user_id and no customer");
    let mut field = Mapping::new(from_field, WithoutUser::Customer);
    assert_eq!(
        skipped(&mut field, memory()),
        "no app_id, which names the customer"
    );
}

#[test]
fn the_customer_comes_from_a_field_and_from_nowhere_else() {
    let mut mapping = Mapping::new(
        Customer::Field("metadata.org".to_owned()),
        WithoutUser::Skip,
    );
    let memory = |metadata: Value| json!({"memory": "x", "user_id": "u", "metadata": metadata});
    for (org, customer) in [(json!("acme"), "acme"), (json!(7), "7")] {
        assert_eq!(
            map(&mut mapping, memory(json!({"org": org})))["customer_id"],
            customer
        );
    }
    for metadata in [
        json!({}),
        json!({"org": ""}),
        json!({"org": null}),
        json!(null),
        json!("org"),
    ] {
        assert_eq!(
            skipped(&mut mapping, memory(metadata)),
            "no metadata.org, which names the customer"
        );
    }
    let list = mapping.document(object(memory(json!({"org": ["acme"]}))));
    let expected = Problem::Malformed("metadata.org must be a string, not a list".to_owned());
    assert_eq!(list, Err(expected));
    let mut dotted = Mapping::new(Customer::Field("a.b".to_owned()), WithoutUser::Skip);
    let literal = map(
        &mut dotted,
        json!({"memory": "x", "user_id": "u", "a.b": "c"}),
    );
    assert_eq!(literal["customer_id"], "c");
}

#[test]
fn what_is_no_memory_says_why() {
    let no_text = "is not a memory: it has no text in memory, text, content or data";
    for memory in [
        json!({}),
        json!({"memory": null, "user_id": "u"}),
        json!({"data": {"a": 1}}),
    ] {
        assert_eq!(malformed(memory), no_text);
    }
    assert_eq!(
        skipped(&mut mapping(), json!({"memory": " \n", "user_id": "u"})),
        "no text"
    );
    assert_eq!(
        malformed(json!({"memory": "x", "user_id": ["u"]})),
        "user_id must be a string, not a list"
    );
    assert_eq!(
        malformed(json!({"memory": "x", "user_id": "u", "id": {}})),
        "id must be a string, not an object"
    );
}

#[test]
fn odd_metadata_is_kept() {
    let memory = |metadata: Value| json!({"memory": "x", "user_id": "u", "metadata": metadata});
    let kept = |metadata: Value| map(&mut mapping(), memory(metadata))["metadata"].clone();
    assert_eq!(kept(json!(null)), json!({"mem0": {"user_id": "u"}}));
    assert_eq!(
        kept(json!(["a"])),
        json!({"mem0": {"user_id": "u", "metadata": ["a"]}})
    );
    let own = json!({"mem0": {"user_id": "u", "metadata": {"mem0": 1}}, "a": 2});
    assert_eq!(kept(json!({"mem0": 1, "a": 2})), own);
}

#[test]
fn what_has_no_effect_here_is_said() {
    let mut mapping = mapping();
    let memory = json!({"memory": "x", "user_id": "u", "expiration_date": "2030-01-01", "immutable": true,
        "created_at": 1_747_623_093_939_u64});
    let document = map(&mut mapping, memory);
    assert_eq!(document["document_created_at"], Value::Null);
    assert_eq!(
        document["metadata"]["mem0"]["created_at"],
        1_747_623_093_939_u64
    );
    let told: Vec<&str> = mapping.without_effect.keys().map(String::as_str).collect();
    assert_eq!(
        told,
        ["created_at that is no time", "expiration_date", "immutable"]
    );
}
