//! One campaign with a throttle, quiet hours, a cap, an expiry and best times: what five products would make of it.

mod judge;
mod queue;
mod senders;
mod smartpush;
mod town;

use std::fmt::Write;
use std::fs;
use std::sync::LazyLock;

use ::smartpush::domain::time::HOUR;
use judge::{Judge, Verdict};
use queue::Sent;
use senders::{Column, Sender};
use town::Town;

use crate::support::root;

/// The town, its judge, and what came of everybody's campaign.
struct Contest {
    judge: Judge<'static>,
    products: Vec<(&'static dyn Sender, Verdict)>,
    smartpush: Verdict,
}

static TOWN: LazyLock<Town> = LazyLock::new(Town::made);

static CONTEST: LazyLock<Contest> = LazyLock::new(|| {
    let judge = Judge::of(&TOWN);
    let products = senders::all().map(|sender| (sender, judge.verdict(&sender.sends(&TOWN)))).to_vec();
    let smartpush = judge.verdict(&smartpush::smartpush_sends(&TOWN));
    Contest { judge, products, smartpush }
});

#[test]
fn readme_shows_what_others_would_do_and_smartpush_breaks_no_rule() {
    let wanted = page(&CONTEST);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let shown =
        readme.split("<!-- products -->\n").nth(1).and_then(|rest| rest.split("<!-- /products -->").next());
    assert!(shown == Some(&wanted), "README.md should hold between its products markers:\n{wanted}");
    let Verdict { quiet, above_cap, expired, crowded_minutes, dropped, .. } = CONTEST.smartpush;
    assert_eq!([quiet, above_cap, expired, crowded_minutes, dropped], [0; 5]);
}

#[test]
fn what_is_not_documented_is_not_held_against_a_product() {
    for (sender, verdict) in &CONTEST.products {
        for column in sender.undocumented() {
            assert_eq!(count(verdict, *column), 0, "{} {column:?}", sender.name());
        }
    }
}

#[test]
fn the_judge_sees_every_kind_of_fault() {
    let town = &*TOWN;
    let judge = &CONTEST.judge;
    let everybody = |at| (0..town.people.len()).map(|user| Sent { user, at }).collect::<Vec<_>>();
    let at_once = judge.verdict(&everybody(town.now));
    assert!(at_once.quiet > 0 && at_once.above_cap > 0 && at_once.lost_activity > 0.0);
    assert_eq!((at_once.crowded_minutes, at_once.expired, at_once.dropped), (1, 0, 0));
    let too_late = judge.verdict(&everybody(town.expires_at));
    assert_eq!(too_late.expired, town.people.len());
    let nothing = judge.verdict(&[]);
    assert!(nothing.dropped > 0 && nothing.dropped < town.people.len());
}

#[test]
fn the_judge_sees_a_sender_that_goes_on_with_yesterdays_offset() {
    let town = &*TOWN;
    // 08:00 in New York, had the clock not been set back at 06:00 UTC: it is 07:00, and quiet for whoever set nothing.
    let at = town.now.plus(18 * HOUR);
    let in_new_york = |user: &usize| town.people[*user].zone.name() == "America/New_York";
    let sends: Vec<Sent> = (0..town.people.len()).filter(in_new_york).map(|user| Sent { user, at }).collect();
    let without_own = sends.iter().filter(|sent| town.people[sent.user].quiet.is_none()).count();
    assert!(CONTEST.judge.verdict(&sends).quiet >= without_own);
    let an_hour_later = sends.iter().map(|sent| Sent { at: at.plus(HOUR), ..*sent });
    let plain: Vec<Sent> = an_hour_later.filter(|sent| town.people[sent.user].quiet.is_none()).collect();
    assert_eq!(CONTEST.judge.verdict(&plain).quiet, 0);
}

fn count(verdict: &Verdict, column: Column) -> usize {
    match column {
        Column::Quiet => verdict.quiet,
        Column::Expiry => verdict.expired,
        Column::Throttle => verdict.crowded_minutes,
    }
}

/// What the README shows between its markers.
fn page(contest: &Contest) -> String {
    let town = &*TOWN;
    let hours = (town.expires_at.micros() - town.now.micros()) / HOUR;
    let mut page = format!(
        "{} people, {} of them reachable; {} messages a minute, {} pushes a day, {hours} hours to send in.\n\n",
        thousands(town.people.len()),
        thousands(contest.judge.reachable()),
        town.throttle,
        town.cap,
    );
    page.push_str(
        "| | sent | in quiet hours | above the cap | after expiry | minutes above the throttle | reachable, not reached | activity lost | activity met |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (sender, verdict) in &contest.products {
        page.push_str(&row(sender.name(), verdict, sender.undocumented()));
    }
    page.push_str(&row("**smartpush**", &contest.smartpush, &[]));
    page.push_str("\nThe sentences that the rows follow:\n\n");
    for (sender, _) in &contest.products {
        page.push_str(&sources(*sender));
    }
    page
}

fn row(name: &str, verdict: &Verdict, undocumented: &[Column]) -> String {
    let cell = |column: Column| match undocumented.contains(&column) {
        true => "not documented".to_string(),
        false => thousands(count(verdict, column)),
    };
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {:.1} % | {:.1} % |\n",
        thousands(verdict.sent),
        cell(Column::Quiet),
        thousands(verdict.above_cap),
        cell(Column::Expiry),
        cell(Column::Throttle),
        thousands(verdict.dropped),
        100.0 * verdict.lost_activity,
        100.0 * verdict.met_activity,
    )
}

/// A product's sentences, each with the page it stands on.
fn sources(sender: &dyn Sender) -> String {
    let mut lines = format!("* {}\n", sender.name());
    for source in sender.source() {
        writeln!(lines, "  * “{}” ([page]({}))", source.says, source.page).unwrap();
    }
    lines
}

fn thousands(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}
