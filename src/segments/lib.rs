//! Who should get this: the typed predicate as tree, JSON and text, and its evaluation on everybody or on one person.
//!
//! An expression is read from text ([`language::text::parser::parse`]) or JSON ([`language::json::read`]), compiled against the
//! catalogue of fields ([`language::compile::compile`]), and evaluated over all [`people`] ([`people::frame::members`]) or one of
//! them ([`people::row::is_member`]) with the same answer. What has to be looked up for it, [`language::keys::needs`] says.
//! [`saved`] segments have versions and kept evaluations, ready-made ones are there from the start, and [`answers`] counts,
//! compares and exports members, and says what of it a reader may see.

pub mod answers;
pub mod language;
pub mod names;
pub mod people;
pub mod saved;
