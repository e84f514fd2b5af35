//! JSON pointers (RFC 6901): how an error names the position of a value within a document.

use serde_path_to_error::{Path, Segment};

/// The pointer of the value under `key` within the value that `parent` points at; `""` points at the whole document.
pub fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The pointer of the value at which reading a document failed.
///
/// A step that serde cannot name is left out: the pointer then ends at the value around it.
pub fn of_path(path: &Path) -> String {
    path.iter().fold(String::new(), |parent, segment| match segment {
        Segment::Seq { index } => child(&parent, &index.to_string()),
        Segment::Map { key } | Segment::Enum { variant: key } => child(&parent, key),
        Segment::Unknown => parent,
    })
}
