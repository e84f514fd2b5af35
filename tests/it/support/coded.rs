//! What holds of every error: its text begins with its code, the code is snake_case, and the kind is the expected one.

#![allow(dead_code, reason = "shared by the test binaries of many crates")]

use domain::error::{Coded, ErrorKind};

/// Checks errors one by one, each with the code and the kind that it must have.
pub(crate) fn check(errors: &[(&dyn Coded, &str, ErrorKind)]) {
    for (error, code, kind) in errors {
        let text = error.to_string();
        assert_eq!((error.code(), error.kind()), (*code, *kind), "{text}");
        assert!(text.starts_with(&format!("{code}: ")), "{text:?} does not begin with {code}");
        let is_snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(code.starts_with(|c: char| c.is_ascii_lowercase()) && code.chars().all(is_snake), "{code}");
    }
}

/// Checks an error that passes the code and the kind of an inner one on, whatever its own text adds.
pub(crate) fn check_passed_on(outer: &dyn Coded, inner: &dyn Coded) {
    check(&[(outer, inner.code(), inner.kind())]);
}
