//! One tree: the leaf whose split lowers the loss most is divided first, until there are enough leaves.

use super::grown::{Branch, Grown};
use super::histogram::Histograms;
use super::shard::Side;
use super::split::{Region, Search, Split, SplitTest};
use super::team::Team;

/// A leaf that may yet be divided.
#[derive(Debug)]
struct Leaf {
    branch: usize,
    region: Region,
    split: Option<Split>,
    /// Needed as long as there is a split.
    histograms: Option<Histograms>,
}

/// Grows a tree from rows that the team has begun with; `open` are the columns it may use.
pub(super) fn grow(team: &mut Team, search: &Search, root: Histograms, open: &[bool]) -> Grown {
    let region = Region { total: root.total(), low: f64::NEG_INFINITY, high: f64::INFINITY };
    let mut growth = Growth { team, search, open, branches: Vec::new(), leaves: Vec::new() };
    let branch = growth.sprout(&region);
    let root = growth.leaf(branch, region, Some(root));
    growth.leaves.push(root);
    while growth.leaves.len() < search.parameters.leaves {
        let Some(index) = growth.most_gainful() else { break };
        growth.divide(index);
    }
    growth.finish()
}

struct Growth<'a> {
    team: &'a mut Team,
    search: &'a Search<'a>,
    open: &'a [bool],
    branches: Vec<Branch>,
    leaves: Vec<Leaf>,
}

impl Growth<'_> {
    /// A new node, for now a leaf.
    fn sprout(&mut self, region: &Region) -> usize {
        let value = self.search.parameters.learning_rate * self.search.value(region.total, region);
        let rows = self.search.scale.count(region.total) as u64;
        self.branches.push(Branch { split: None, left: 0, right: 0, value, rows });
        self.branches.len() - 1
    }

    /// A leaf with its best split; histograms that no split needs go back.
    fn leaf(&mut self, branch: usize, region: Region, histograms: Option<Histograms>) -> Leaf {
        let best = |histograms: &Histograms| self.search.best(histograms, &region, self.open);
        let split = histograms.as_ref().and_then(best);
        let (kept, idle) = if split.is_some() { (histograms, None) } else { (None, histograms) };
        idle.into_iter().for_each(|histograms| self.team.recycle(histograms));
        Leaf { branch, region, split, histograms: kept }
    }

    /// The leaf to be divided next, the oldest of equals.
    fn most_gainful(&self) -> Option<usize> {
        let gains =
            self.leaves.iter().enumerate().filter_map(|(index, leaf)| Some((index, leaf.split?.gain)));
        let better = |best: (usize, f64), next: (usize, f64)| if next.1 > best.1 { next } else { best };
        gains.reduce(better).map(|(index, _)| index)
    }

    fn divide(&mut self, index: usize) {
        let Leaf { branch, region, split: Some(split), histograms } = &mut self.leaves[index] else { return };
        let (branch, split, histograms) = (*branch, *split, histograms.take());
        let regions = self.search.regions(&split, region);
        let test = self.test(&split);
        let [left, right] = regions.map(|region| self.sprout(&region));
        self.branches[branch] =
            Branch { split: Some((test, split.missing_left)), left, right, ..self.branches[branch] };
        let is_last = self.leaves.len() + 1 == self.search.parameters.leaves;
        let [of_left, of_right] = match histograms {
            Some(histograms) if !is_last => self.divided(index, &split, test, histograms).map(Some),
            histograms => {
                self.team.split_last(index, test);
                histograms.into_iter().for_each(|histograms| self.team.recycle(histograms));
                [None, None]
            }
        };
        self.leaves[index] = self.leaf(left, regions[0], of_left);
        let new = self.leaf(right, regions[1], of_right);
        self.leaves.push(new);
    }

    fn test(&self, split: &Split) -> SplitTest {
        let missing = if split.missing_left { self.search.cuts[split.column].bins() as u16 } else { 256 };
        SplitTest { column: split.column, bin: split.bin, missing }
    }

    /// The histograms of both sides: the smaller side's are added up, the larger's are what is left.
    fn divided(
        &mut self,
        index: usize,
        split: &Split,
        test: SplitTest,
        mut whole: Histograms,
    ) -> [Histograms; 2] {
        let is_left = self.search.scale.count(split.left) < self.search.scale.count(split.right);
        let smaller = self.team.split(index, test, if is_left { Side::Left } else { Side::Right });
        whole.subtract(&smaller);
        if is_left { [smaller, whole] } else { [whole, smaller] }
    }

    fn finish(self) -> Grown {
        let leaf_values = self.leaves.iter().map(|leaf| self.branches[leaf.branch].value).collect();
        for histograms in self.leaves.into_iter().filter_map(|leaf| leaf.histograms) {
            self.team.recycle(histograms);
        }
        Grown { branches: self.branches, leaf_values }
    }
}
