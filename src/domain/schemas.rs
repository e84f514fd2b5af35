//! How our plain types look in the OpenAPI document where their own words do not say it.

use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::time::Instant;

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        let text: Object = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment, RFC 3339 in UTC"))
            .build();
        RefOr::T(Schema::Object(text))
    }
}

impl ToSchema for Instant {}
