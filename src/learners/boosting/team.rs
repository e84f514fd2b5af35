//! Shards on threads that live as long as the fit: orders go to all of them, answers are added up.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use super::grown::Grown;
use super::histogram::Histograms;
use super::rows::BoostingRows;
use super::shard::{Command, Reply, Shard, ShardPlan, Side};
use super::split::SplitTest;

/// Fewer rows are not worth a thread.
const ROWS_PER_THREAD: usize = 4_096;

/// All shards: the first is worked by the calling thread.
#[derive(Debug)]
pub(super) struct Team {
    first: Shard,
    others: Vec<Remote>,
    /// Histograms that are not in use.
    pool: Vec<Histograms>,
    columns: usize,
}

#[derive(Debug)]
struct Remote {
    commands: Sender<Command>,
    replies: Receiver<Reply>,
}

impl Team {
    /// Shares the rows out and starts the threads; they end when the team is dropped.
    pub(super) fn start<'scope, 'env, 'rows: 'scope, 'judges: 'scope>(
        scope: &'scope Scope<'scope, 'env>,
        training: &'scope BoostingRows<'rows>,
        validation: &'scope BoostingRows<'judges>,
        plan: ShardPlan<'scope>,
        threads: usize,
    ) -> Team {
        let count = training.chosen.len().div_ceil(ROWS_PER_THREAD).clamp(1, threads);
        let weight: f64 = validation.chosen.iter().map(|row| validation.weight(*row)).sum();
        let shard = move |part: usize| {
            let share = |rows: &BoostingRows| {
                let length = rows.chosen.len();
                part * length / count..(part + 1) * length / count
            };
            Shard::new((training, share(training)), (validation, share(validation), weight), &plan)
        };
        let remote = |part: usize| {
            let ((commands, orders), (answers, replies)) = (channel(), channel());
            scope.spawn(move || {
                let mut shard = shard(part);
                // Either end may go away first when the fit is over.
                while let Ok(command) = orders.recv() {
                    if answers.send(shard.obey(command)).is_err() {
                        break;
                    }
                }
            });
            Remote { commands, replies }
        };
        let others = (1..count).map(remote).collect();
        Team { first: shard(0), others, pool: Vec::new(), columns: plan.cuts.len() }
    }

    /// Begins a tree; the histograms of all its rows.
    pub(super) fn begin(&mut self, tree: u64, share: f64) -> Histograms {
        let command = |histograms| Command::Start { tree, share, histograms };
        let commands = self.buffers().into_iter().map(command).collect();
        let replies = self.ask(commands);
        self.added(replies)
    }

    /// Divides a leaf and returns the histograms of one side.
    pub(super) fn split(&mut self, leaf: usize, test: SplitTest, side: Side) -> Histograms {
        let command = |histograms| Command::Split { leaf, test, build: Some((side, histograms)) };
        let commands = self.buffers().into_iter().map(command).collect();
        let replies = self.ask(commands);
        self.added(replies)
    }

    /// Divides a leaf whose sides will not be divided.
    pub(super) fn split_last(&mut self, leaf: usize, test: SplitTest) {
        self.ask(vec![Command::Split { leaf, test, build: None }; self.others.len() + 1]);
    }

    /// Ends a tree; the validation loss with it.
    pub(super) fn finish(&mut self, tree: &Arc<Grown>) -> i128 {
        let replies = self.ask(vec![Command::Finish(Arc::clone(tree)); self.others.len() + 1]);
        replies.iter().map(|reply| reply.loss).sum()
    }

    /// Takes histograms back for later use.
    pub(super) fn recycle(&mut self, histograms: Histograms) {
        self.pool.push(histograms);
    }

    fn buffers(&mut self) -> Vec<Histograms> {
        let buffer = |_| self.pool.pop().unwrap_or_else(|| Histograms::empty(self.columns));
        (0..=self.others.len()).map(buffer).collect()
    }

    /// One command for each shard, answers in their order.
    fn ask(&mut self, commands: Vec<Command>) -> Vec<Reply> {
        let mut commands = commands.into_iter();
        let own = commands.next();
        for (other, command) in self.others.iter().zip(commands) {
            // A thread that has panicked is found out when its answer is missing.
            let _ = other.commands.send(command);
        }
        let own = own.map(|command| self.first.obey(command));
        let answer = |other: &Remote| {
            other.replies.recv().unwrap_or_else(|_| panic!("a boosting thread has panicked"))
        };
        own.into_iter().chain(self.others.iter().map(answer)).collect()
    }

    fn added(&mut self, replies: Vec<Reply>) -> Histograms {
        let mut parts = replies.into_iter().filter_map(|reply| reply.histograms);
        let mut sum = parts.next().unwrap_or_else(|| Histograms::empty(self.columns));
        for part in parts {
            sum.add(&part);
            self.pool.push(part);
        }
        sum
    }
}
