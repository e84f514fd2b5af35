//! Names of a table as numbers, so that rows of the same name are found without a text in each.

use std::collections::BTreeMap;

/// Names by number, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct NumberedNames {
    /// The name of each number.
    pub(crate) names: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl NumberedNames {
    /// The number of a name; a new name gets the next one.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_string());
        self.numbers.insert(name.to_string(), number);
        number
    }

    /// The number of a name that came before.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }
}
