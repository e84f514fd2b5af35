//! Wire types: what requests and answers look like as JSON, and how the OpenAPI document describes them.
//!
//! The rooms below know nothing of HTTP. Questions are read into a type of this folder and turned into plain arguments.
//! Decisions and explanations are sent as the rooms below write them: their types here describe those bytes, and a test
//! holds that reading an answer into its type and writing it again gives the same bytes.

pub mod content_preview;
pub mod decision;
pub mod explanation;
pub mod question;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use domain::time::Instant;
use segments::language::error::Position;

/// A moment: RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(Instant);

impl From<Instant> for Moment {
    fn from(instant: Instant) -> Moment {
        Moment(instant)
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        let text: Object = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment, RFC 3339 in UTC"))
            .build();
        RefOr::T(Schema::Object(text))
    }
}

impl ToSchema for Moment {
    fn name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }
}

/// Where a text goes wrong, as editors count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Position)]
pub struct PositionBody {
    /// Line.
    pub line: usize,
    /// Character in it.
    pub column: usize,
}

impl From<Position> for PositionBody {
    fn from(Position { line, column }: Position) -> PositionBody {
        PositionBody { line, column }
    }
}
