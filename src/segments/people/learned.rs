//! What others know of the people, put beside them by user id: scores, curves, groups, uploaded lists.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::{People, PeopleError, deciles};
use crate::language::keys::LookupKey;

impl People {
    /// A number a person, by id; unknown of whom none is given.
    pub fn with_numbers(self, key: LookupKey, of: &BTreeMap<&str, f64>) -> Result<People, PeopleError> {
        let numbers = self.ids().iter().map(|id| of.get(id?).copied());
        let column = Float64Chunked::from_iter_options("number".into(), numbers).into_series();
        self.with(key, column)
    }

    /// A text a person, by id; unknown of whom none is given.
    pub fn with_texts(self, key: LookupKey, of: &BTreeMap<&str, &str>) -> Result<People, PeopleError> {
        let texts = self.ids().iter().map(|id| of.get(id?).copied());
        let column = StringChunked::from_iter_options("text".into(), texts).into_series();
        self.with(key, column)
    }

    /// The members of a list, by id; ids of nobody count for nothing.
    pub fn with_list(self, list: &str, members: &BTreeSet<&str>) -> Result<People, PeopleError> {
        let answers = self.ids().iter().map(|id| id.is_some_and(|id| members.contains(id)));
        let column = BooleanChunked::from_iter_values("list".into(), answers).into_series();
        self.with(LookupKey::List(list.to_string()), column)
    }

    /// Propensities of a goal by id, and the deciles that they come to.
    pub fn with_propensities(self, goal: &str, of: &BTreeMap<&str, f64>) -> Result<People, PeopleError> {
        let values: Vec<Option<f64>> = self.ids().iter().map(|id| of.get(id?).copied()).collect();
        let deciles = Int64Chunked::from_iter_options("decile".into(), deciles(&values).into_iter());
        self.with_numbers(LookupKey::Propensity(goal.to_string()), of)?
            .with(LookupKey::PropensityDecile(goal.to_string()), deciles.into_series())
    }
}
