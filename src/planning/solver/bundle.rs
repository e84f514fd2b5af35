//! The best sends for one user: the best of each campaign where rules allow that, else a small branch and bound.

use super::audience::{Audience, Cell};
use super::limits::{Chosen, JointRules};

/// No option of the campaign is picked.
pub(super) const NONE: u32 = u32::MAX;

/// Considered sends after which a search gives up and says how much better it could have become.
const MOST_NODES: usize = 4_000;

/// Choices of a branch that are put in order at a time.
const SORTED_AT_ONCE: usize = 8;

/// An option with what it gains.
#[derive(Clone, Copy)]
struct BundleChoice {
    net: f64,
    index: u32,
    first: usize,
    last: usize,
    payload: u32,
}

/// A campaign with something to gain, and its best choice.
#[derive(Clone, Copy)]
struct Branch {
    campaign: usize,
    top: BundleChoice,
}

/// What the best sends gain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The gain of the picks.
    pub(super) net: f64,
    /// No sends gain more than this; the same unless the search gave up.
    pub(super) upper: f64,
}

/// Finds the best sends of one user after another.
pub(super) struct Finder<'a, R> {
    audience: &'a Audience,
    rules: &'a R,
    /// The best picks found: for each campaign an index among the user's cells, or [`NONE`].
    pub(super) picks: Vec<u32>,
    branches: Vec<Branch>,
    /// The choices of each branch; the first `sorted` of them are its best, best first.
    choices: Vec<Vec<BundleChoice>>,
    sorted: Vec<usize>,
    /// Sums of the first tops.
    sums: Vec<f64>,
    chosen: Vec<Chosen>,
    current: Vec<u32>,
    most: usize,
    best: f64,
    open: f64,
    nodes: usize,
}

impl<'a, R: JointRules> Finder<'a, R> {
    pub(super) fn new(audience: &'a Audience, rules: &'a R) -> Finder<'a, R> {
        let campaigns = audience.campaigns();
        Finder {
            audience,
            rules,
            picks: vec![NONE; campaigns],
            branches: Vec::with_capacity(campaigns),
            choices: vec![Vec::new(); campaigns],
            sorted: vec![0; campaigns],
            sums: Vec::with_capacity(campaigns + 1),
            chosen: Vec::with_capacity(campaigns),
            current: vec![NONE; campaigns],
            most: 0,
            best: 0.0,
            open: 0.0,
            nodes: 0,
        }
    }

    /// Picks the sends with the largest sum of `net(campaign, index, cell)`; what gains nothing is not picked.
    pub(super) fn find(&mut self, user: usize, net: impl Fn(usize, usize, &Cell) -> f64) -> Found {
        self.picks.fill(NONE);
        self.find_tops(user, &net);
        self.chosen.clear();
        self.chosen.extend(self.branches.iter().map(|branch| chosen(branch.campaign, &branch.top)));
        if self.branches.is_empty() || self.rules.refused_by(user, &self.chosen).is_none() {
            self.branches.iter().for_each(|branch| self.picks[branch.campaign] = branch.top.index);
            let net = self.branches.iter().map(|branch| branch.top.net).sum();
            return Found { net, upper: net };
        }
        self.search(user, &net)
    }

    fn find_tops(&mut self, user: usize, net: &impl Fn(usize, usize, &Cell) -> f64) {
        self.branches.clear();
        for campaign in 0..self.audience.campaigns() {
            let cells = self.audience.cells(user, campaign);
            let (mut best, mut at) = (0.0, None);
            for (index, cell) in cells.iter().enumerate() {
                let net = net(campaign, index, cell);
                if net > best {
                    (best, at) = (net, Some(index));
                }
            }
            if let Some(index) = at {
                let top = self.choice(best, index, &cells[index]);
                self.branches.push(Branch { campaign, top });
            }
        }
    }

    fn choice(&self, net: f64, index: usize, cell: &Cell) -> BundleChoice {
        let shape = self.audience.shape(cell);
        BundleChoice {
            net,
            index: index as u32,
            first: shape.first(),
            last: shape.last(),
            payload: cell.payload,
        }
    }

    fn search(&mut self, user: usize, net: &impl Fn(usize, usize, &Cell) -> f64) -> Found {
        self.branches.sort_by(|one, other| other.top.net.total_cmp(&one.top.net));
        self.sums.clear();
        self.sums.push(0.0);
        for level in 0..self.branches.len() {
            let branch = self.branches[level];
            self.sums.push(self.sums[level] + branch.top.net);
            let mut choices = std::mem::take(&mut self.choices[level]);
            choices.clear();
            let cells = self.audience.cells(user, branch.campaign).iter().enumerate();
            let gains =
                cells.map(|(index, cell)| self.choice(net(branch.campaign, index, cell), index, cell));
            choices.extend(gains.filter(|choice| choice.net > 0.0));
            self.choices[level] = choices;
            self.sorted[level] = 0;
        }
        self.chosen.clear();
        (self.best, self.open, self.nodes) = (0.0, 0.0, 0);
        self.most = self.rules.most_sends(user);
        self.descend(user, 0, 0.0);
        Found { net: self.best, upper: self.best.max(self.open) }
    }

    /// A branch's choice, counted from its best; few of many are ever asked for, so they are sorted as they are.
    fn choice_at(&mut self, level: usize, at: usize) -> Option<BundleChoice> {
        let (choices, sorted) = (&mut self.choices[level], &mut self.sorted[level]);
        if at >= *sorted && *sorted < choices.len() {
            let better = |one: &BundleChoice, other: &BundleChoice| {
                other.net.total_cmp(&one.net).then(one.index.cmp(&other.index))
            };
            let rest = &mut choices[*sorted..];
            let count = SORTED_AT_ONCE.min(rest.len());
            rest.select_nth_unstable_by(count - 1, better);
            rest[..count].sort_unstable_by(better);
            *sorted += count;
        }
        choices.get(at).copied()
    }

    /// The most that campaigns from a level on can add to what is chosen.
    fn rest(&self, level: usize, chosen: usize) -> f64 {
        let left = self.most.saturating_sub(chosen);
        let end = level.saturating_add(left).min(self.branches.len());
        if end > level { self.sums[end] - self.sums[level] } else { 0.0 }
    }

    fn descend(&mut self, user: usize, level: usize, net: f64) {
        if net > self.best {
            self.best = net;
            self.picks.copy_from_slice(&self.current);
        }
        let count = self.chosen.len();
        if level == self.branches.len() || count >= self.most {
            return;
        }
        if self.nodes >= MOST_NODES {
            self.open = self.open.max(net + self.rest(level, count));
            return;
        }
        let campaign = self.branches[level].campaign;
        let mut at = 0;
        while let Some(choice) = self.choice_at(level, at) {
            at += 1;
            if net + choice.net + self.rest(level + 1, count + 1) <= self.best {
                break;
            }
            self.nodes += 1;
            self.chosen.push(chosen(campaign, &choice));
            if self.rules.refused_by(user, &self.chosen).is_none() {
                self.current[campaign] = choice.index;
                self.descend(user, level + 1, net + choice.net);
                self.current[campaign] = NONE;
            }
            self.chosen.pop();
        }
        if net + self.rest(level + 1, count) > self.best {
            self.descend(user, level + 1, net);
        }
    }
}

fn chosen(campaign: usize, choice: &BundleChoice) -> Chosen {
    Chosen { campaign, first: choice.first, last: choice.last, payload: choice.payload }
}
