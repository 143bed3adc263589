//! A small language for schemas: one line for each field, limits from `limits.rs`. It only describes; requests are read by
//! the bounded parser of `synap-types`.

use utoipa::ToSchema;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Schema,
    SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

/// Named schemas that another one refers to.
pub(crate) type Named = Vec<(String, RefOr<Schema>)>;

/// The kind of a field's value.
#[derive(Clone)]
pub(super) struct Kind {
    form: Form,
    uses: Named,
}

#[derive(Clone)]
enum Form {
    Any,
    Plain(Type, Box<Object>),
    Choice(Vec<&'static str>),
    List(Box<Form>, Bounds),
    Either(Vec<Form>),
    Shape(Box<Shape>),
    Named(String),
}

/// Entries of a list, at least and at most.
#[derive(Clone, Copy, Default)]
struct Bounds {
    min: Option<usize>,
    max: Option<usize>,
}

/// Whether a field has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    /// May be absent.
    Optional,
    /// May be absent or `null`, which mean the same.
    Nullable,
}

/// The fields of an object. Others may be there as well.
#[derive(Clone, Default)]
pub(super) struct Shape {
    fields: Vec<(&'static str, &'static str, Kind, Presence)>,
}

impl Shape {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A field that is always there.
    pub(super) fn has(self, name: &'static str, kind: Kind, about: &'static str) -> Self {
        self.with(name, kind, about, Presence::Required)
    }

    /// A field that may be absent, and is never `null`.
    pub(super) fn may(self, name: &'static str, kind: Kind, about: &'static str) -> Self {
        self.with(name, kind, about, Presence::Optional)
    }

    /// A field of a request that need not be given; `null` counts as absent.
    pub(super) fn takes(self, name: &'static str, kind: Kind, about: &'static str) -> Self {
        self.with(name, kind, about, Presence::Nullable)
    }

    fn with(
        mut self,
        name: &'static str,
        kind: Kind,
        about: &'static str,
        presence: Presence,
    ) -> Self {
        self.fields.push((name, about, kind, presence));
        self
    }

    /// The schema of such an object.
    pub(super) fn schema(&self, about: &str) -> RefOr<Schema> {
        RefOr::T(self.object(about, Type::Object.into()))
    }

    fn object(&self, about: &str, of_type: SchemaType) -> Schema {
        let mut object = ObjectBuilder::new()
            .schema_type(of_type)
            .description(described(about))
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        for (name, about, kind, presence) in &self.fields {
            let nullable = *presence == Presence::Nullable;
            object = object.property(*name, kind.form.schema(about, nullable));
            if *presence == Presence::Required {
                object = object.required(*name);
            }
        }
        object.build().into()
    }

    /// The named schemas among its fields.
    pub(super) fn uses(&self) -> Named {
        let fields = self.fields.iter();
        fields
            .flat_map(|(_, _, kind, _)| kind.uses.clone())
            .collect()
    }
}

impl Form {
    fn schema(&self, about: &str, nullable: bool) -> RefOr<Schema> {
        let about = about.trim();
        let or_null = |of: Type| {
            if nullable {
                SchemaType::from_iter([of, Type::Null])
            } else {
                of.into()
            }
        };
        match self {
            Self::Any => RefOr::T(
                ObjectBuilder::new()
                    .schema_type(SchemaType::AnyValue)
                    .description(described(about))
                    .build()
                    .into(),
            ),
            Self::Plain(of, object) => RefOr::T(
                ObjectBuilder::from(object.as_ref().clone())
                    .schema_type(or_null(of.clone()))
                    .description(described(about))
                    .build()
                    .into(),
            ),
            Self::Choice(names) => {
                let null = nullable.then_some(None);
                let names = names.iter().copied().map(Some).chain(null);
                RefOr::T(
                    ObjectBuilder::new()
                        .schema_type(or_null(Type::String))
                        .description(described(about))
                        .enum_values(Some(names.map(serde_json::Value::from)))
                        .build()
                        .into(),
                )
            }
            Self::List(item, bounds) => RefOr::T(
                ArrayBuilder::new()
                    .schema_type(or_null(Type::Array))
                    .description(described(about))
                    .items(item.schema("", false))
                    .min_items(bounds.min)
                    .max_items(bounds.max)
                    .build()
                    .into(),
            ),
            Self::Either(forms) => any_of(about, forms, nullable),
            Self::Shape(shape) => RefOr::T(shape.object(about, or_null(Type::Object))),
            Self::Named(_) if nullable => any_of(about, std::slice::from_ref(self), true),
            Self::Named(name) => {
                let mut link = Ref::from_schema_name(name);
                about.clone_into(&mut link.description);
                RefOr::Ref(link)
            }
        }
    }
}

fn any_of(about: &str, forms: &[Form], nullable: bool) -> RefOr<Schema> {
    let mut any = AnyOfBuilder::new().description(described(about));
    for form in forms {
        any = any.item(form.schema("", false));
    }
    if nullable {
        any = any.item(ObjectBuilder::new().schema_type(Type::Null));
    }
    RefOr::T(any.build().into())
}

fn described(about: &str) -> Option<&str> {
    Some(about.trim()).filter(|about| !about.is_empty())
}

impl Kind {
    /// The schema where it is not a field's: a parameter's.
    pub(super) fn alone(&self) -> RefOr<Schema> {
        self.form.schema("", false)
    }
}

impl From<Form> for Kind {
    fn from(form: Form) -> Self {
        Self {
            form,
            uses: Named::new(),
        }
    }
}

impl From<Shape> for Kind {
    fn from(shape: Shape) -> Self {
        Self {
            uses: shape.uses(),
            form: Form::Shape(Box::new(shape)),
        }
    }
}

fn plain(of: Type, builder: ObjectBuilder) -> Kind {
    Form::Plain(of, Box::new(builder.build())).into()
}

/// Anything at all.
pub(super) fn anything() -> Kind {
    Form::Any.into()
}

/// `null`, where it says something.
pub(super) fn null() -> Kind {
    plain(Type::Null, ObjectBuilder::new())
}

/// A text without a limit of its own.
pub(super) fn text() -> Kind {
    plain(Type::String, ObjectBuilder::new())
}

/// A text of at most so many bytes. JSON Schema counts characters, of which it can only be fewer.
pub(super) fn text_of(bytes_max: usize) -> Kind {
    text_between(0, bytes_max)
}

/// A text of at least so many characters, and at most so many.
pub(super) fn text_between(min: usize, max: usize) -> Kind {
    let min = Some(min).filter(|min| *min > 0);
    plain(
        Type::String,
        ObjectBuilder::new().min_length(min).max_length(Some(max)),
    )
}

fn formatted(format: SchemaFormat) -> Kind {
    plain(Type::String, ObjectBuilder::new().format(Some(format)))
}

/// A UUID, as a text.
pub(super) fn uuid() -> Kind {
    formatted(SchemaFormat::Custom("uuid".to_owned()))
}

/// A moment in RFC 3339.
pub(super) fn time() -> Kind {
    formatted(SchemaFormat::KnownFormat(KnownFormat::DateTime))
}

/// Bytes of a file.
pub(super) fn binary() -> Kind {
    formatted(SchemaFormat::KnownFormat(KnownFormat::Binary))
}

/// `true` or `false`.
pub(super) fn flag() -> Kind {
    plain(Type::Boolean, ObjectBuilder::new())
}

/// A count, from 0.
pub(super) fn count() -> Kind {
    plain(Type::Integer, ObjectBuilder::new().minimum(Some(0)))
}

/// Any whole number.
pub(super) fn whole() -> Kind {
    plain(Type::Integer, ObjectBuilder::new())
}

/// A whole number within limits.
pub(super) fn between(min: usize, max: usize) -> Kind {
    plain(
        Type::Integer,
        ObjectBuilder::new().minimum(Some(min)).maximum(Some(max)),
    )
}

/// A number from 0 to 1.
pub(super) fn share() -> Kind {
    plain(
        Type::Number,
        ObjectBuilder::new().minimum(Some(0)).maximum(Some(1)),
    )
}

/// Any number.
pub(super) fn number() -> Kind {
    plain(Type::Number, ObjectBuilder::new())
}

/// An object of any fields.
pub(super) fn fields() -> Kind {
    Shape::new().into()
}

/// One of these texts.
pub(super) fn one_of(names: &[&'static str]) -> Kind {
    Form::Choice(names.to_vec()).into()
}

/// A list without a limit of its own.
pub(super) fn list(item: Kind) -> Kind {
    listed(item, Bounds::default())
}

/// A list of at most so many entries.
pub(super) fn list_of(item: Kind, max: usize) -> Kind {
    let bounds = Bounds {
        min: None,
        max: Some(max),
    };
    listed(item, bounds)
}

/// A list of one to so many entries.
pub(super) fn some_of(item: Kind, max: usize) -> Kind {
    let bounds = Bounds {
        min: Some(1),
        max: Some(max),
    };
    listed(item, bounds)
}

fn listed(item: Kind, bounds: Bounds) -> Kind {
    Kind {
        form: Form::List(Box::new(item.form), bounds),
        uses: item.uses,
    }
}

/// Any of several kinds.
pub(super) fn either<const N: usize>(kinds: [Kind; N]) -> Kind {
    let (mut forms, mut uses) = (Vec::with_capacity(N), Named::new());
    for kind in kinds {
        forms.push(kind.form);
        uses.extend(kind.uses);
    }
    Kind {
        form: Form::Either(forms),
        uses,
    }
}

/// A schema with a name.
pub(super) fn a<T: ToSchema>() -> Kind {
    let mut uses = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut uses);
    Kind {
        form: Form::Named(T::name().into_owned()),
        uses,
    }
}

/// Declares named schemas. Their documentation is their description; nothing of them exists at run time.
macro_rules! shapes {
    ($($(#[doc = $about:literal])+ $name:ident = $shape:expr;)+) => {$(
        $(#[doc = $about])+
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $shape.schema(concat!($($about),+))
            }
        }

        impl utoipa::ToSchema for $name {
            fn schemas(named: &mut $crate::http::schema::shape::Named) {
                named.extend($shape.uses());
            }
        }
    )+};
}

pub(super) use shapes;
