//! Expressions as text a person can type: `purchases_30d >= 2 and not opted_out`.
//!
//! ```text
//! expression  = conjunction { "or" conjunction }
//! conjunction = negation { "and" negation }
//! negation    = "not" negation | "(" expression ")" | group | "everybody" | condition
//! group       = ( "all" | "any" ) "(" expression { "," expression } ")"
//! condition   = subject [ test ]
//! subject     = name | function "(" argument { "," argument } ")"
//! test        = ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value | "in" "(" value { "," value } ")"
//!             | "between" value "and" value | "contains" value | "is" ( "known" | "unknown" )
//! value       = number | text | "true" | "false" | length | length "ago" | date | moment
//! ```
//!
//! Words of the language may be written in any case; names and texts mean what they are letter by letter. Texts stand in straight
//! double quotes, with `\"`, `\\`, `\n`, `\t` and `\u{…}` inside; characters that cannot be seen must be written so.

pub mod lexer;
pub mod parser;
pub mod printer;
