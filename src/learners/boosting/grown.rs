//! A grown tree: tests on bins, and the values of its leaves.

use super::model::{Node, Tree};
use super::split::{Search, SplitTest};

/// A tree by bins, for rows that are bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Grown {
    /// Its nodes, the root first.
    pub(super) branches: Vec<Branch>,
    /// The value of each leaf, in the order in which leaves came to be.
    pub(super) leaf_values: Vec<f64>,
}

/// A node: a test with its two sides, or a leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    /// The test, and whether missing values go left; `None` for a leaf.
    pub(super) split: Option<(SplitTest, bool)>,
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) value: f64,
    pub(super) rows: u64,
}

impl Grown {
    /// The value of a row of bytes.
    pub(super) fn value(&self, bins: &[u8]) -> f64 {
        let mut branch = &self.branches[0];
        while let Some((test, _)) = branch.split {
            let is_left = test.goes_left(bins[test.column]);
            branch = &self.branches[if is_left { branch.left } else { branch.right }];
        }
        branch.value
    }

    pub(super) fn leaves(&self) -> usize {
        self.leaf_values.len()
    }

    /// The same tree with thresholds instead of bins.
    pub(super) fn tree(&self, search: &Search) -> Tree {
        let node = |branch: &Branch| match branch.split {
            None => Node::Leaf { value: branch.value, rows: branch.rows },
            Some((test, missing_left)) => Node::Split {
                column: test.column as u32,
                threshold: search.cuts[test.column].threshold(test.bin),
                missing_left,
                left: branch.left as u32,
                right: branch.right as u32,
            },
        };
        Tree { nodes: self.branches.iter().map(node).collect() }
    }
}
