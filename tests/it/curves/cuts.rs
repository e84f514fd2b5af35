//! A cut at every user's own midnight: what comes from it on reaches nobody's history, nor his clock.

use curves::population::{Cut, Population};
use domain::time::Day;
use events::lake::Lake;
use events::request::InputKind;
use serde_json::{Value, json};

use super::world::Shop;

const CUT: &str = "2024-03-15";

fn view(id: usize, user: &str, stamp: &str, zone: Option<&str>) -> Value {
    let mut record =
        json!({ "message_id": format!("m{id}"), "user_id": user, "event": "view", "timestamp": stamp });
    if let Some(zone) = zone {
        record["time_zone"] = zone.into();
    }
    record
}

fn population(events: &[Value]) -> Population {
    let shop = Shop::new();
    shop.take(InputKind::Events, events, None);
    let lake = Lake::open(&shop.workspace).expect("the lake opens");
    let cut = Cut::LocalMidnight(Day::parse(CUT).expect("a date"));
    Population::read(&lake, &shop.declared(), cut, &|_, _| ()).expect("somebody came before the cut")
}

#[test]
fn what_comes_from_local_midnight_on_changes_no_history() {
    let mut events = vec![
        view(0, "paris", "2024-03-10T07:30:00Z", Some("Europe/Paris")),
        view(1, "paris", "2024-03-11T18:30:00Z", None),
        view(2, "nobody-knows", "2024-03-12T20:30:00Z", None),
        view(3, "kiritimati", "2024-03-13T20:30:00Z", Some("Pacific/Kiritimati")),
    ];
    let before = population(&events);
    events.extend([
        // All on 15 March on the clock of the event, and on every clock that its user has shown.
        view(4, "paris", "2024-03-15T08:00:00Z", Some("America/New_York")),
        view(5, "kiritimati", "2024-03-15T11:30:00Z", Some("Pacific/Pago_Pago")),
        view(6, "newcomer", "2024-03-15T09:00:00Z", None),
    ]);
    let after = population(&events);
    assert_eq!(after.ids, before.ids);
    assert_eq!(after.zones, before.zones);
    assert_eq!(after.histories, before.histories);
    assert_eq!(before.zones, ["Pacific/Kiritimati", "UTC", "Europe/Paris"]);
}
