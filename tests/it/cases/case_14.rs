//! Files of JSON without a line of JSON are named for what they are.

use crate::files::Case;

#[test]
fn a_file_without_a_line_of_json_is_named_for_what_it_is() {
    for (file, line, what, command) in [
        (
            "pretty.json",
            "line 1, column 1: EOF while parsing an object",
            "none of 5 lines",
            "jq -c . pretty.json",
        ),
        ("concatenated.jsonl", "line 1, column", "none of 1 lines", "jq -c . concatenated.jsonl"),
        ("python_literals.json", "line 1, column", "Python literals", "ast.literal_eval"),
    ] {
        let output = Case::new("14").run(&["ingest", file]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("not_json_lines: {file}: {line}")), "{said}");
        assert!(said.contains(what) && said.contains(command), "{said}");
    }
}
